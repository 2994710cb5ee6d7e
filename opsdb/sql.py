"""ops-db for SQLAlchemy: classes for the tables of a database, as PostgreSQL has them. Needs ``ops-db[sqlalchemy]``.

Neither Django nor settings are needed: the database enforces the rules for every client. ``docs/sql.md`` has
examples. Nothing else in ops-db imports this module.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, ForeignKeyConstraint, MetaData, Table, text
from sqlalchemy.orm import DeclarativeBase, Session, relationship

KEY = "id"  # the key of every table; of a subtype also the reference to its parent
# The subtypes of a table: the column that distinguishes them, and the table of each of its values.
SUBTYPES = {
    "instrument_module_configuration": (
        "type",
        {"chai": "chai_module_configuration", "prime_cam": "prime_cam_module_configuration"},
    ),
    "source": (
        "type",
        {
            "fixed": "fixed_source",
            "solar_system": "solar_system_object",
            "constant_elevation": "constant_elevation_source",
        },
    ),
    "observation_configuration": (
        "type",
        {"chai": "chai_observation_configuration", "prime_cam": "prime_cam_observation_configuration"},
    ),
    "data_location": (
        "storage_type",
        {"disk": "disk_data_location", "s3": "s3_data_location", "tape": "tape_data_location"},
    ),
}
# Every table of ops-db has a rule that is one of its functions.
TABLES = text("""
SELECT DISTINCT relation.relname FROM pg_trigger AS trigger
JOIN pg_class AS relation ON relation.oid = trigger.tgrelid JOIN pg_proc AS function ON function.oid = trigger.tgfoid
WHERE starts_with(function.proname, 'opsdb_') AND NOT relation.relispartition
    AND relation.relnamespace = quote_ident(coalesce(:schema, current_schema()))::regnamespace
""")
ATTRIBUTE = text("""
SELECT set_config('opsdb.user_id', :user_id, true), set_config('opsdb.origin', :origin, true),
    set_config('opsdb.reason', :reason, true)
""")


class Classes(dict[str, Any]):
    """The mapped classes by their names, which are those of the models: ``classes.RawDataFile``.

    Attributes:
        metadata: all tables, those of links among them.
    """

    metadata: MetaData

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"There is no class {name}; there are: {', '.join(sorted(self))}") from None


def reflect(bind: Engine | Connection, *, schema: str | None = None) -> Classes:
    """Return a class for every table of ops-db in a database, with relationships.

    A relationship is named by its column (``data_location_id``: ``data_location``), its other side as
    :func:`collection_name` names it. Subtypes inherit from their parent. A table that only links two others is a
    many-to-many relationship of the first, named by what is linked (``obs_unit.module_configurations``).

    Args:
        bind: engine or connection to the database.
        schema: the schema of the tables, by which all statements will then name them; without it, the search path of
            the connection decides.

    Raises:
        LookupError: the schema has no tables of ops-db.
    """
    if isinstance(bind, Engine):
        with bind.connect() as connection:
            return reflect(connection, schema=schema)
    ours = bind.execute(TABLES, {"schema": schema}).scalars().all()
    if not ours:
        where = f"Schema {schema}" if schema else "The first schema of the search path"
        raise LookupError(f"{where} has no tables of ops-db: give their schema, or migrate with opsdb_migrate.")
    metadata = MetaData(schema=schema)
    metadata.reflect(bind, only=ours)
    base = type("Base", (DeclarativeBase,), {"metadata": metadata})
    classes = Classes()
    classes.metadata = metadata
    mapped: dict[Table, Any] = {}
    for table in metadata.sorted_tables:
        if not _is_link(table):
            name = class_name(base, table.name, table)
            parents = [mapped[one.referred_table] for one in _references(table) if one.column_keys == [KEY]]
            mapped[table] = classes[name] = type(name, tuple(parents) or (base,), _attributes(table))
    for table in metadata.sorted_tables:
        if table in mapped:
            for constraint in _references(table):
                if constraint.column_keys != [KEY]:
                    _relate(mapped, table, constraint)
        else:
            _link(mapped, table)
    return classes


def attribute(to: Session | Connection, *, user_id: Any = None, origin: str = "", reason: str = "") -> None:
    """Have the change log name who changes what follows in this transaction, from where, and why.

    Args:
        to: session or connection; call it first in every transaction.
        user_id: key of an existing user.
        origin: program or request, up to 500 characters.
        reason: why, in the words of a person.
    """
    user = "" if user_id is None else str(user_id)
    to.execute(ATTRIBUTE, {"user_id": user, "origin": origin, "reason": reason})


def class_name(base: Any, tablename: str, table: Table) -> str:
    """Return the name of a table's class; automap takes it as ``classname_for_table``."""
    return "".join(part.capitalize() for part in tablename.split("_"))


def relationship_name(base: Any, local_cls: Any, referred_cls: Any, constraint: ForeignKeyConstraint) -> str:
    """Return the name of a reference, by its column; automap takes it as ``name_for_scalar_relationship``."""
    [column] = constraint.column_keys
    return column.removesuffix("_id") if column.endswith("_id") else f"{column}_{constraint.referred_table.name}"


def collection_name(base: Any, local_cls: Any, referred_cls: Any, constraint: ForeignKeyConstraint) -> str:
    """Return the name of the rows that refer to one; automap takes it as ``name_for_collection_relationship``.

    It is ``<table>_collection`` where the reference is named as the table that it refers to, else
    ``<table>_by_<reference>_collection``, so that two references to one table differ.
    """
    reference = relationship_name(base, local_cls, referred_cls, constraint)
    table = constraint.table.name
    return (
        f"{table}_collection" if reference == constraint.referred_table.name else f"{table}_by_{reference}_collection"
    )


def _references(table: Table) -> list[ForeignKeyConstraint]:
    """Return the references of a table in the order of its columns; each has one column."""
    order = table.columns.keys()
    return sorted(table.foreign_key_constraints, key=lambda constraint: order.index(constraint.column_keys[0]))


def _is_link(table: Table) -> bool:
    references = [constraint.column_keys[0] for constraint in _references(table)]
    return len(references) == 2 and set(table.columns.keys()) == {KEY, *references}


def _attributes(table: Table) -> dict[str, Any]:
    attributes: dict[str, Any] = {"__table__": table, "__doc__": table.comment}
    if table.name in SUBTYPES:
        attributes["__mapper_args__"] = {"polymorphic_on": table.columns[SUBTYPES[table.name][0]]}
    for _, subtypes in SUBTYPES.values():
        for value, name in subtypes.items():
            if name == table.name:
                attributes["__mapper_args__"] = {"polymorphic_identity": value}
    return attributes


def _relate(mapped: dict[Table, Any], table: Table, constraint: ForeignKeyConstraint) -> None:
    [element] = constraint.elements
    local, referred = mapped[table], mapped[constraint.referred_table]
    name, collection = (naming(None, local, referred, constraint) for naming in (relationship_name, collection_name))
    join = element.parent == element.column
    one = relationship(referred, primaryjoin=join, remote_side=[element.column], back_populates=collection)
    # Whether a row that others refer to may be deleted is for the database: they are not separated from it before.
    many = relationship(local, primaryjoin=join, back_populates=name, passive_deletes="all")
    setattr(local, name, one)
    setattr(referred, collection, many)


def _link(mapped: dict[Table, Any], table: Table) -> None:
    (to_owner,), (to_other,) = (constraint.elements for constraint in _references(table))
    owner, other = mapped[to_owner.column.table], mapped[to_other.column.table]
    owner_name = to_owner.column.table.name
    name = _plural(table.name.removeprefix(f"{owner_name}_"))
    collection = f"{owner_name}_by_{name}_collection"
    to_owner_join, to_other_join = (end.parent == end.column for end in (to_owner, to_other))
    others = relationship(
        other, secondary=table, primaryjoin=to_owner_join, secondaryjoin=to_other_join, back_populates=collection
    )
    owners = relationship(
        owner, secondary=table, primaryjoin=to_other_join, secondaryjoin=to_owner_join, back_populates=name
    )
    setattr(owner, name, others)
    setattr(other, collection, owners)


def _plural(name: str) -> str:
    return name if name.endswith("s") else f"{name.removesuffix('y')}ies" if name.endswith("y") else f"{name}s"
