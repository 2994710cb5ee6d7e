"""Stage 9, publish: products are put into releases and publications, linked back to the observing programs.

A release is filled while it is private; a published one never changes, a change is a new version of it.
Locks are taken in this order: releases or publications, then products in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.models.functions import Lower
from django.utils import timezone

from opsdb.database.aliases import atomic
from opsdb.models import (
    DataProduct,
    DataRelease,
    ObservingProgram,
    Publication,
    PublicationStatus,
    RunStatus,
)
from opsdb.normalization import normalize_doi

from .errors import Conflict, NotFound, Refused, name_row


def create_release(
    name: str, *, version: str, products: Iterable[DataProduct] = (), description: str = "", doi: str = ""
) -> DataRelease:
    """Make a private release of products, with the programs that they are from, and return it.

    Idempotent for the same name and version: a further call adds missing products. Locks the products, and the release
    if it exists.

    Args:
        name: name of the release.
        version: version, unique with the name.
        products: completed products that no other replaces.
        description: what it contains.
        doi: its DOI, if it has one.

    Raises:
        Refused: a product can't be released, the release is published already, or a value is invalid.
        Conflict: the release exists with another description or DOI.
    """
    with atomic():
        facts = {"description": description, "doi": _spell_doi(DataRelease, doi)}
        release = _get_or_make(DataRelease, {"name": name, "version": version}, facts)
        _link_products(release, products)
    return release


def add_to_release(release: DataRelease, *, products: Iterable[DataProduct]) -> DataRelease:
    """Add products, and the programs that they are from, to a private release, and return it.

    Idempotent. Locks the release and the products.

    Args:
        release: a release that is not public yet.
        products: the products to add; those that it has already stay.

    Raises:
        Refused: a product can't be released, or the release is published.
    """
    with atomic():
        _lock(release)
        _link_products(release, products)
    return release


def publish_release(release: DataRelease, *, doi: str = "", released_at: datetime | None = None) -> DataRelease:
    """Make a release public, and return it. Idempotent; a DOI that is minted later is added. Locks the release.

    Args:
        release: a release with products.
        doi: its DOI; the recorded one when left out.
        released_at: since when, aware; now when left out.

    Raises:
        Refused: it has no products, one of them is replaced by another, or the DOI is invalid.
        Conflict: it was published with another DOI.
    """
    with atomic():
        locked, doi = _lock(release), _spell_doi(DataRelease, doi)
        if locked.doi and doi not in ("", locked.doi):
            raise Conflict(
                f"{name_row(DataRelease, release.pk)}: has the DOI {locked.doi}, not {doi}; give that one, or none"
            )
        if not locked.public:
            _require_releasable(locked, list(locked.products.order_by("pk").select_related("run")))
            locked.public, locked.doi = True, doi or locked.doi
            locked.released_at = released_at or timezone.now()
            _save(locked)
        elif doi and not locked.doi:
            locked.doi = doi
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
    """Record a publication with the products and releases that it uses, and their programs, and return it.

    Idempotent for the same DOI or bibcode, or, without either, for the same title and year: a further call adds missing
    links. Locks the products.

    Args:
        title: its title.
        year: year of publication.
        doi: its DOI, if it has one.
        bibcode: its ADS bibcode, if it has one.
        authors: its authors.
        journal: journal or publisher.
        products: the products that it uses directly.
        releases: the releases that it uses.
        programs: further programs that it belongs to.

    Raises:
        Conflict: it is recorded with other values.
        Refused: a value is invalid, or a product is not completed.
    """
    facts = {
        "title": title,
        "year": year,
        "doi": _spell_doi(Publication, doi),
        "bibcode": bibcode,
        "authors": list(authors),
        "journal": journal,
    }
    key = {name: facts[name] for name in ("doi", "bibcode") if facts[name]}
    key = dict([next(iter(key.items()))]) if key else {"title": title, "year": year, "doi": "", "bibcode": ""}
    with atomic():
        publication = _get_or_make(Publication, key, {name: fact for name, fact in facts.items() if name not in key})
        link_publication(publication, products=products, releases=releases, programs=programs)
    return publication


def link_publication(
    publication: Publication,
    *,
    products: Iterable[DataProduct] = (),
    releases: Iterable[DataRelease] = (),
    programs: Iterable[ObservingProgram] = (),
) -> Publication:
    """Link a publication to the products and releases that it uses, and to their programs, and return it.

    Idempotent. Locks the publication and the products.

    Args:
        publication: the publication; its present links stay.
        products: the completed products that it uses directly.
        releases: the releases that it uses.
        programs: further programs; those of the products and releases are added by themselves.

    Raises:
        Refused: a product is not completed.
    """
    with atomic():
        _lock(publication)
        products = _completed(products)
        publication.products.add(*products)
        publication.releases.add(*releases)
        publication.programs.add(*programs)
        publication.programs.add(*_programs_of(publication))
    return publication


def publish_publication(
    publication: Publication, *, doi: str = "", bibcode: str = "", journal: str = ""
) -> Publication:
    """Record that a publication has appeared, with its identifiers, and return it. Idempotent.

    Locks the publication.

    Args:
        publication: the publication.
        doi: its DOI, in any notation; the recorded one when empty.
        bibcode: its ADS bibcode; the recorded one when empty.
        journal: journal or publisher; the recorded one when empty.

    Raises:
        Conflict: it has another DOI or bibcode.
        Refused: a value is invalid.
    """
    with atomic():
        locked = _lock(publication)
        for name, given in {"doi": _spell_doi(Publication, doi), "bibcode": bibcode}.items():
            before = getattr(locked, name)
            if given and before not in ("", given):
                raise Conflict(
                    f"{name_row(Publication, publication.pk)}: has the {name} {before}, not {given}; give that one, "
                    "or none"
                )
            setattr(locked, name, given or before)
        locked.journal = journal or locked.journal
        locked.status = PublicationStatus.PUBLISHED
        _save(locked)
    publication.refresh_from_db()
    return publication


def _spell_doi(model, doi):
    """Return a DOI as it is recorded, if it is, whatever letter case it is given in and what is put before it."""
    doi = normalize_doi(doi)
    known = model.objects.annotate(folded=Lower("doi")).filter(folded=doi.lower()).exclude(doi="")
    return known.values_list("doi", flat=True).first() or doi


def _lock(row: models.Model):
    locked = type(row).objects.select_for_update(no_key=True).filter(pk=row.pk).first()
    if locked is None:
        raise NotFound(f"{name_row(type(row), row.pk)}: there is no such row; check its key")
    return locked


def _get_or_make(model, key, facts):
    """Return the row of this key: a new one, or the existing one if it has the same facts."""
    rows = model.objects.select_for_update(no_key=True).filter(**key)
    row = rows.first()
    if row is None:
        try:
            with atomic():
                return _save(model(**key, **facts))
        except (IntegrityError, Refused):
            # Another transaction may have just made it, before or after the row was validated.
            row = rows.first()
            if row is None:
                raise
    for name, fact in facts.items():
        if fact and getattr(row, name) != fact:
            raise Conflict(
                f"{name_row(model, row.pk)}: is recorded with {name} {getattr(row, name)!r}, not {fact!r}; give the "
                "same, or make another one"
            )
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
                f"{name_row(DataProduct, product.pk)}: its run is {product.run.status}; only products of completed "
                "runs can be released or published; complete the run, or leave the product out"
            )
    return locked


def _require_releasable(release, products):
    name = name_row(DataRelease, release.pk)
    if not products:
        raise Refused(f"{name}: has no products; add some first")
    for product in products:
        if product.superseded_by_id:
            raise Refused(
                f"{name}: {name_row(DataProduct, product.pk)} is superseded by "
                f"{name_row(DataProduct, product.superseded_by_id)}; release that one"
            )


def _link_products(release, products):
    products = _completed(products)
    known = set(release.products.values_list("pk", flat=True))
    new = [product for product in products if product.pk not in known]
    if not new:
        return
    if release.public:
        raise Refused(f"{name_row(DataRelease, release.pk)}: is published and never changes; make a new version")
    _require_releasable(release, new)
    release.products.add(*new)
    release.programs.add(*_programs_of(release))


def _programs_of(row):
    return ObservingProgram.objects.filter(obs_units__executions__in=row.observations().values("pk")).distinct()
