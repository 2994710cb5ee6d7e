"""What the factories of all areas have in common."""

from datetime import UTC, datetime

import factory
from psycopg.pq import TransactionStatus

from opsdb.database.aliases import writing_connection

EPOCH = datetime(2026, 6, 15, tzinfo=UTC)


class OpsFactory(factory.django.DjangoModelFactory):
    """A factory that saves each row once."""

    class Meta:
        abstract = True
        skip_postgeneration_save = True


class OwnersFactory(OpsFactory):
    """A factory of rows that nobody but the owner, who logged in, writes by hand: the database does."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        connection = writing_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('role'), set_config('role', 'none', false)")
            [role, _] = cursor.fetchone()
            try:
                return super()._create(model_class, *args, **kwargs)
            finally:
                # A transaction that has failed takes the role back with all else.
                if connection.connection.info.transaction_status != TransactionStatus.INERROR:
                    cursor.execute("SELECT set_config('role', %s, false)", [role])


class ParentFactory(OpsFactory):
    """Factory of a joined parent, which can't exist without a subtype: makes one, and returns its parent."""

    class Meta:
        abstract = True

    @classmethod
    def _build(cls, model_class, *args, **fields):
        return cls._parent_of(cls.subtype_factory().build(*args, **fields))

    @classmethod
    def _create(cls, model_class, *args, **fields):
        return cls._parent_of(cls.subtype_factory()(*args, **fields))

    @classmethod
    def _parent_of(cls, row):
        return getattr(row, row._meta.pk.name)

    @classmethod
    def subtype_factory(cls):
        """The factory of the subtype that is made where none is named."""
        raise NotImplementedError


def many(name):
    """Fill a many-to-many field with the rows given by name; none by default."""

    def fill(row, create, rows, **fields):
        if create and rows:
            getattr(row, name).set(rows)

    return factory.PostGeneration(fill)


def change(row, **values):
    """Change a row as a workflow would: what the database refuses stays refused."""
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def afterwards(do):
    """Do something to a new row that it can't be born with; nothing to one that is only built."""

    def apply(row, create, extracted, **fields):
        if create:
            do(row)
            row.refresh_from_db()

    return factory.PostGeneration(apply)


def same(path):
    """The value of a field of the row that asks for this one."""
    return factory.SelfAttribute(f"..{path}")


def checksum(number: int) -> str:
    """A SHA-256 that nothing has, of the right form."""
    return f"{number:064x}"
