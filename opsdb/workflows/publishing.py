"""Stage 9, publish: products become known in releases and publications, linked back to what was observed.

A release is filled while it is private; published, it stays as it is, and what changes is a new version of it.
Locks are taken in this order: releases or publications, then products in the order of their ids.
"""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from opsdb.models import (
    DataProduct,
    DataRelease,
    ObservingProgram,
    Publication,
    PublicationStatus,
    RunStatus,
)

from .errors import Conflict, NotFound, Refused
from .states import name_of


def create_release(
    name: str, version: str, *, products: Iterable[DataProduct] = (), description: str = "", doi: str = ""
) -> DataRelease:
    """Make a private release of products, with the programs that they are from, and return it.

    The same call with the same name and version again adds what is missing. Locks the products, and the release if
    there was one.

    Args:
        name: name of the release.
        version: version, unique with the name.
        products: completed products that no other replaces.
        description: what it holds.
        doi: its DOI, if it has one already.

    Raises:
        Refused: a product can't be released, the release is published already, or a fact can't be.
        Conflict: the release was made with another description or DOI.
    """
    with transaction.atomic():
        facts = {"description": description, "doi": doi}
        release = _made(DataRelease, {"name": name, "version": version}, facts)
        _link_products(release, products)
    return release


def add_to_release(release: DataRelease, *, products: Iterable[DataProduct]) -> DataRelease:
    """Add products, and the programs that they are from, to a private release, and return it.

    What is in it already changes nothing. Locks the release and the products.

    Raises:
        Refused: a product can't be released, or the release is published.
    """
    with transaction.atomic():
        _lock(release)
        _link_products(release, products)
    return release


def publish_release(release: DataRelease, *, doi: str = "", released_at: datetime | None = None) -> DataRelease:
    """Open a release to everybody, and return it; again, it changes nothing. Locks the release.

    Args:
        release: a release with products.
        doi: its DOI; the one that it has when left out.
        released_at: since when, aware; now when left out.

    Raises:
        Refused: it has no products, one of them is replaced by another, or the DOI can't be.
        Conflict: it was published with another DOI.
    """
    with transaction.atomic():
        locked = _lock(release)
        if locked.doi and doi not in ("", locked.doi):
            raise Conflict(f"{name_of(DataRelease, release.pk)}: has the DOI {locked.doi}, not {doi}")
        if not locked.public:
            _require_releasable(locked, list(locked.products.order_by("pk").select_related("run")))
            locked.public, locked.doi = True, doi or locked.doi
            locked.released_at = released_at or timezone.now()
            _save(locked)
    release.refresh_from_db()
    return release


def create_publication(
    *,
    title: str,
    year: int,
    doi: str = "",
    bibcode: str = "",
    authors: Iterable[str] = (),
    journal: str = "",
    products: Iterable[DataProduct] = (),
    releases: Iterable[DataRelease] = (),
    programs: Iterable[ObservingProgram] = (),
) -> Publication:
    """Record a publication with what it rests on, and the programs of that, and return it.

    The same call with the same DOI or bibcode, or with neither the same title and year, adds the links that are
    missing. Locks the products.

    Args:
        title: its title.
        year: year of publication.
        doi: its DOI, if it has one.
        bibcode: its ADS bibcode, if it has one.
        authors: its authors.
        journal: journal or publisher.
        products: the products that it uses directly.
        releases: the releases that it uses.
        programs: further programs that it is from.

    Raises:
        Conflict: it is recorded with other facts.
        Refused: a fact can't be, or a product is not completed.
    """
    facts = {
        "title": title,
        "year": year,
        "doi": doi,
        "bibcode": bibcode,
        "authors": list(authors),
        "journal": journal,
    }
    key = {name: facts[name] for name in ("doi", "bibcode") if facts[name]}
    key = dict([next(iter(key.items()))]) if key else {"title": title, "year": year, "doi": "", "bibcode": ""}
    with transaction.atomic():
        publication = _made(Publication, key, {name: fact for name, fact in facts.items() if name not in key})
        link_publication(publication, products=products, releases=releases, programs=programs)
    return publication


def link_publication(
    publication: Publication,
    *,
    products: Iterable[DataProduct] = (),
    releases: Iterable[DataRelease] = (),
    programs: Iterable[ObservingProgram] = (),
) -> Publication:
    """Link a publication to what it rests on, and to the programs of that, and return it.

    Links that are there already stay. Locks the publication and the products.

    Raises:
        Refused: a product is not completed.
    """
    with transaction.atomic():
        _lock(publication)
        products = _completed(products)
        publication.products.add(*products)
        publication.releases.add(*releases)
        publication.programs.add(*programs)
        publication.programs.add(*_programs_of(publication))
    return publication


def publish(publication: Publication, *, doi: str = "", bibcode: str = "", journal: str = "") -> Publication:
    """Record that a publication has appeared, with what it then got, and return it; again, it changes nothing.

    Locks the publication.

    Raises:
        Conflict: it has another DOI or bibcode.
        Refused: a fact can't be.
    """
    with transaction.atomic():
        locked = _lock(publication)
        for name, given in {"doi": doi, "bibcode": bibcode}.items():
            before = getattr(locked, name)
            if given and before not in ("", given):
                raise Conflict(f"{name_of(Publication, publication.pk)}: has the {name} {before}, not {given}")
            setattr(locked, name, given or before)
        locked.journal = journal or locked.journal
        locked.status = PublicationStatus.PUBLISHED
        _save(locked)
    publication.refresh_from_db()
    return publication


def _lock(row: models.Model):
    locked = type(row).objects.select_for_update(no_key=True).filter(pk=row.pk).first()
    if locked is None:
        raise NotFound(f"{name_of(type(row), row.pk)}: there is no such row")
    return locked


def _made(model, key, facts):
    """Return the row of this key: a new one, or the one that is there with the same facts."""
    rows = model.objects.select_for_update(no_key=True).filter(**key)
    row = rows.first()
    if row is None:
        try:
            with transaction.atomic():
                return _save(model(**key, **facts))
        except IntegrityError:
            # Somebody else has just made it.
            row = rows.get()
    for name, fact in facts.items():
        if fact and getattr(row, name) != fact:
            raise Conflict(f"{name_of(model, row.pk)}: is recorded with {name} {getattr(row, name)!r}, not {fact!r}")
    return row


def _save(row):
    try:
        row.full_clean()
    except ValidationError as error:
        raise Refused(f"{row._meta.db_table} {str(row)!r}: {'; '.join(error.messages)}") from None
    row.save()
    return row


def _completed(products) -> list[DataProduct]:
    """Lock products and return them, in the order of their ids."""
    keys = [product.pk for product in products]
    locked = list(
        DataProduct.objects.filter(pk__in=keys)
        .select_related("run")
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    )
    for product in locked:
        if product.run.status != RunStatus.COMPLETED:
            raise Refused(
                f"{name_of(DataProduct, product.pk)}: its run is {product.run.status}; only products of completed runs "
                "can be made known"
            )
    return locked


def _require_releasable(release, products):
    name = name_of(DataRelease, release.pk)
    if not products:
        raise Refused(f"{name}: has no products; add some first")
    for product in products:
        if product.superseded_by_id:
            raise Refused(
                f"{name}: {name_of(DataProduct, product.pk)} is replaced by "
                f"{name_of(DataProduct, product.superseded_by_id)}; release that one"
            )


def _link_products(release, products):
    products = _completed(products)
    known = set(release.products.values_list("pk", flat=True))
    new = [product for product in products if product.pk not in known]
    if not new:
        return
    if release.public:
        raise Refused(f"{name_of(DataRelease, release.pk)}: is published and stays as it is; make a new version")
    _require_releasable(release, new)
    release.products.add(*new)
    release.programs.add(*_programs_of(release))


def _programs_of(row):
    return ObservingProgram.objects.filter(obs_units__executions__in=row.observations().values("pk")).distinct()
