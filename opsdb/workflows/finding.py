"""Find the row that a person means by a UUID, a table and key, a name, a path or a checksum. Nothing is locked."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import Model, Q
from django.db.models.lookups import Exact

from opsdb.database.indexes import CHECKSUM_HEAD, checksum_head
from opsdb.models import (
    DataLocation,
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    ReductionStep,
    StagingJob,
)
from opsdb.normalization import is_storable, normalize_path, parse_checksum

from ._search_names import rows_by_key
from .errors import Ambiguous, NotFound, name_row

# Models whose rows have a UUID, because they can be born at a telescope.
WITH_UUID = (RawDataPackage, RawDataFile, DataTransferPackage, ExecutedObsUnit)
FINDABLE: dict[str, type[Model]] = {
    model._meta.db_table: model
    for model in (
        *WITH_UUID,
        DataProduct,
        PhysicalCopy,
        DataTransfer,
        LongTermArchiveTransfer,
        StagingJob,
        ExecutedReductionStep,
        ReductionStep,
        DeletionRequest,
    )
}
CHECKSUM = re.compile(rf"[0-9a-f]{{{CHECKSUM_HEAD},128}}")


def find_row(text: str) -> Model:
    """Return the row that a text describes.

    Args:
        text: a UUID, table and key as in messages (``data_transfer 17``), or the name, path or whole checksum of a
            package, file or product.

    Raises:
        NotFound: no row matches.
        Ambiguous: several rows match.
    """
    text = text.strip()
    table, _separator, key = text.partition(" ")
    if table in FINDABLE and key:
        found = rows_by_key(FINDABLE[table], key.strip())
    else:
        found = _by_uuid(text) or _by_name(text) or _by_checksum(text)
    if not found:
        raise NotFound(
            f"{text!r}: there is no such row; give a UUID, a table and a key such as 'data_transfer 17', or the name, "
            "path or checksum of a package, file or product"
        )
    if len(found) > 1:
        raise Ambiguous(text, [name_row(type(row), row.pk) for row in found])
    return found[0]


def _by_uuid(text):
    try:
        key = UUID(text)
    except ValueError:
        return []
    return [row for model in WITH_UUID for row in model.objects.filter(pk=key)]


def _by_name(text):
    """Rows of this name or path, each found by an index: names of packages are unique, paths of files at a source."""
    if not is_storable(text):
        return []
    text = normalize_path(text) or text
    sources = list(DataLocation.objects.sources().order_by().values_list("pk", flat=True))
    base = text.rpartition("/")[2]
    packages = [
        row
        for model in (RawDataPackage, DataTransferPackage)
        for row in model.objects.filter(name=base)
        if text in (base, row.relative_path)
    ]
    files = RawDataFile.objects.filter(source_location__in=sources, relative_path=text)
    products = DataProduct.objects.filter(Q(relative_path=text) | Q(name=text))
    return [*packages, *files[:10], *products.order_by("pk")[:10]]


def _by_checksum(text):
    """Rows whose content has this checksum, found by ``by_checksum``."""
    understood = parse_checksum(text)
    if understood is None or not CHECKSUM.fullmatch(understood.digits):
        return []
    text = understood.digits
    begins = Exact(checksum_head(), text[:CHECKSUM_HEAD])
    models = (RawDataPackage, DataTransferPackage, RawDataFile, DataProduct)
    return [row for model in models for row in model.objects.filter(begins, checksum=text).order_by("pk")[:10]]
