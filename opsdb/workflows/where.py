"""Where the copies of an observation, file, package or product are. Nothing is locked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Model

from opsdb.models import (
    DataProduct,
    DataTransferPackage,
    ExecutedObsUnit,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
)
from opsdb.models.copies.querysets import COPY_TARGETS

from .errors import Refused, name_row
from .finding import find_row

MOST_COPIES = 1_000


@dataclass(frozen=True)
class CopyFound:
    """A copy that contains the row, alone or together with others.

    Attributes:
        id: key of the copy.
        of: table and key of its content.
        name: name or path of its content.
        site: short name of the site.
        location: name of the location.
        location_type: purpose of the location.
        status: state of the bytes.
        verification: result of the last comparison of its checksum.
        verified_at: when that was.
        size_bytes: its size in bytes.
        relative_path: path below the location.
    """

    id: int
    of: str
    name: str
    site: str
    location: str
    location_type: str
    status: str
    verification: str
    verified_at: datetime | None
    size_bytes: int | None
    relative_path: str

    @property
    def is_readable(self) -> bool:
        """Whether it can be read: there, not on its way out, and not known to differ."""
        return PhysicalCopy(status=self.status, verification=self.verification).is_readable


@dataclass(frozen=True)
class Whereabouts:
    """Where the bytes of a row are.

    Attributes:
        subject: table and key of the row.
        name: its name.
        copies: the copies that contain it: first of itself, then of its packages, then of its files or packages.
        truncated: whether there are more copies than are listed.
    """

    subject: str
    name: str
    copies: list[CopyFound] = field(default_factory=list)
    truncated: bool = False


def find_copies(row: Model | str, *, limit: int = MOST_COPIES) -> Whereabouts:
    """Return every copy of an observation, file, package, bundle or product.

    A file is also in the copies of its package and of the bundle of that; a package is also in its
    bundle and its files. Each kind of copy is one query, found by its partial index on ``physical_copy``.

    Args:
        row: a row, or a text for :func:`find_row`.
        limit: how many copies of each kind at the most.

    Raises:
        NotFound, Ambiguous: as :func:`find_row`.
        Refused: rows of its kind have no copies.
    """
    if isinstance(row, str):
        row = find_row(row)
    truncated, copies = False, []
    for target, keys in _holders(row):
        found = list(
            PhysicalCopy.objects.filter(**{f"{target}__in": keys})
            .select_related("data_location__site", target)
            .order_by(f"{target}_id", "data_location__site__short_name", "data_location__name")[: limit + 1]
        )
        truncated |= len(found) > limit
        copies += [_copy_found(copy, target) for copy in found[:limit]]
    return Whereabouts(name_row(type(row), row.pk), str(row), copies, truncated)


def _copy_found(copy, target):
    content, location = getattr(copy, target), copy.data_location
    return CopyFound(
        id=copy.pk,
        of=name_row(type(content), content.pk),
        name=str(content),
        site=location.site.short_name,
        location=location.name,
        location_type=location.location_type,
        status=copy.status,
        verification=copy.verification,
        verified_at=copy.verified_at,
        size_bytes=copy.size_bytes,
        relative_path=content.relative_path,
    )


def _holders(row):
    """Yield kind of copy and the keys of that kind that contain a row, or a part of it."""
    packages = RawDataPackage.objects.all()
    if isinstance(row, PhysicalCopy):
        yield row.target_name, [getattr(row, f"{row.target_name}_id")]
    elif isinstance(row, DataProduct):
        yield "data_product", [row.pk]
    elif isinstance(row, RawDataFile):
        package = packages.filter(pk=row.raw_data_package_id)
        yield "raw_data_file", [row.pk]
        yield "raw_data_package", package.values("pk")
        yield "data_transfer_package", _bundles_of(package)
    elif isinstance(row, RawDataPackage):
        yield "raw_data_package", [row.pk]
        yield "data_transfer_package", _bundles_of(packages.filter(pk=row.pk))
        yield "raw_data_file", RawDataFile.objects.filter(raw_data_package=row).values("pk")
    elif isinstance(row, DataTransferPackage):
        yield "data_transfer_package", [row.pk]
        yield "raw_data_package", packages.filter(data_transfer_package=row).values("pk")
    elif isinstance(row, ExecutedObsUnit):
        packages = packages.filter(executed_obs_unit=row)
        yield "raw_data_package", packages.values("pk")
        yield "data_transfer_package", _bundles_of(packages)
        yield "raw_data_file", RawDataFile.objects.of(row).values("pk")
    else:
        raise Refused(f"{name_row(type(row), row.pk)}: has no copies; ask for one of {', '.join(COPY_TARGETS)}")


def _bundles_of(packages):
    return packages.filter(data_transfer_package__isnull=False).values("data_transfer_package")
