"""What data observations made: files, volume, and how much of them is archived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from opsdb.database.aliases import read_rows
from opsdb.models import PackageState

UNPACKAGED_LIMIT = 20_000
"""How many files in no package are counted, and how many in packages that have no size yet."""


@dataclass(frozen=True)
class ExecutionData:
    """The data of one observation.

    Attributes:
        files: raw data files, in packages or in none.
        unpackaged: of these, the files that are in no package yet.
        size_bytes: volume of the packages, of the files in those without a size yet, and of the files in none, bytes.
        packages: raw data packages.
        archived: of these, the packages that are archived.
        at_least: whether there may be more files in no package, or more volume, than were counted.
        states: of the packages, how many are in each state.
    """

    files: int = 0
    unpackaged: int = 0
    size_bytes: int = 0
    packages: int = 0
    archived: int = 0
    at_least: bool = False
    states: Counter[PackageState] = field(default_factory=Counter)

    @property
    def is_archived(self) -> bool:
        """Whether there are data, and all of them are archived."""
        return self.packages > 0 and self.archived == self.packages and not self.unpackaged

    def __add__(self, other: ExecutionData) -> ExecutionData:
        return ExecutionData(
            self.files + other.files,
            self.unpackaged + other.unpackaged,
            self.size_bytes + other.size_bytes,
            self.packages + other.packages,
            self.archived + other.archived,
            self.at_least or other.at_least,
            self.states + other.states,
        )


@dataclass(frozen=True)
class ExecutionsData:
    """The data of some observations.

    Attributes:
        executions: the data of each, by its key; observations without data are left out.
        total: all of them together.
        archives: into how many archives all of the archived packages went.
        last_archived_at: when the last of their packages came into an archive; None where none did.
    """

    executions: dict[UUID, ExecutionData]
    total: ExecutionData
    archives: int
    last_archived_at: datetime | None

    def of(self, key: UUID) -> ExecutionData:
        """Return the data of one observation, which may have none."""
        return self.executions.get(key, ExecutionData())


# One walk along the unique key of packages.
_PACKAGES = """
SELECT executed_obs_unit_id, state, sum(file_count)::bigint, sum(coalesce(size_bytes, 0))::bigint, count(*)
FROM raw_data_package WHERE executed_obs_unit_id = ANY(%(executions)s)
GROUP BY executed_obs_unit_id, state
"""
# Files in no package, along raw_data_file_unpackaged, source by source, and those in packages that have no size yet,
# package by package; either ends at the limit.
_UNSIZED = """
(
    SELECT executed_obs_unit_id, count(*), sum(size_bytes)::bigint, true
    FROM (
        SELECT file.executed_obs_unit_id, file.size_bytes
        FROM data_location AS source
        JOIN raw_data_file AS file ON file.source_location_id = source.id
        WHERE source.location_type = 'source' AND file.raw_data_package_id IS NULL
            AND file.executed_obs_unit_id = ANY(%(executions)s)
        LIMIT %(limit)s
    ) AS unpackaged
    GROUP BY executed_obs_unit_id
)
UNION ALL
(
    SELECT executed_obs_unit_id, count(*), sum(size_bytes)::bigint, false
    FROM (
        SELECT package.executed_obs_unit_id, file.size_bytes
        FROM raw_data_package AS package
        JOIN raw_data_file AS file ON file.raw_data_package_id = package.id
        WHERE package.executed_obs_unit_id = ANY(%(executions)s) AND package.size_bytes IS NULL
        LIMIT %(limit)s
    ) AS unmade
    GROUP BY executed_obs_unit_id
)
"""
# The copies of packages in archives that can be read, archive by archive.
_ARCHIVES = """
SELECT copy.data_location_id, count(*), max(copy.arrived_at)
FROM raw_data_package AS package
JOIN physical_copy AS copy ON copy.raw_data_package_id = package.id
JOIN data_location AS archive ON archive.id = copy.data_location_id
WHERE package.executed_obs_unit_id = ANY(%(executions)s) AND package.state = 'archived'
    AND archive.location_type = 'long_term_archive' AND opsdb_is_readable(copy.status, copy.verification)
GROUP BY copy.data_location_id
"""


def summarize_execution_data(executions: Collection[UUID]) -> ExecutionsData:
    """Return files, volume and archived packages of observations, given by their keys. Three queries; locks nothing.

    Of the files in no package, and of those in packages that have no size yet, at most :data:`UNPACKAGED_LIMIT` are
    counted; packages and their copies are read along indexes, so that the cost grows with these observations alone.

    Args:
        executions: the keys of the observations.
    """
    parameters = {"executions": list(executions), "limit": UNPACKAGED_LIMIT}
    packages, unsized, archives = (read_rows(sql, parameters) for sql in (_PACKAGES, _UNSIZED, _ARCHIVES))
    found: dict[UUID, ExecutionData] = {}
    for key, state, files, size, number in packages:
        archived = number if state == PackageState.ARCHIVED else 0
        part = ExecutionData(files, 0, size, number, archived, states=Counter({PackageState(state): number}))
        found[key] = found.get(key, ExecutionData()) + part
    counted = Counter()
    for _key, number, _size, in_none in unsized:
        counted[in_none] += number
    at_least = max(counted.values(), default=0) >= UNPACKAGED_LIMIT
    for key, number, size, in_none in unsized:
        loose = number if in_none else 0
        found[key] = found.get(key, ExecutionData()) + ExecutionData(loose, loose, size or 0, at_least=at_least)
    total = sum(found.values(), ExecutionData())
    return ExecutionsData(
        found,
        total,
        archives=sum(number >= total.archived for _archive, number, _last in archives),
        last_archived_at=max((last for _archive, _number, last in archives), default=None),
    )
