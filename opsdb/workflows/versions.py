"""Stage 8, versions: which version of its software a reduction step runs."""

from __future__ import annotations

import re

from opsdb.models import ReductionSoftwareVersion, ReductionStep, VersionPolicy

from .errors import Refused, name_row

SHOWN = 5


def choose_software_version(step: ReductionStep, *, allow_deprecated: bool = False) -> ReductionSoftwareVersion:
    """Return the software version that a step runs now.

    The policy exact takes the pinned version, and refuses it when it is deprecated, because a deprecated version may be
    wrong; compatible takes the highest of the same major number that is not below the pinned one; latest takes the
    highest. Both skip deprecated versions. Numbers compare as numbers (1.10 is above 1.9), and a pre-release
    (2.0rc1) is below its release.

    Args:
        step: the step.
        allow_deprecated: whether the policy exact also takes a deprecated version, to reproduce an old result.

    Raises:
        Refused: there is no such version.
    """
    if step.version_policy == VersionPolicy.EXACT:
        if step.pinned_version.deprecated and not allow_deprecated:
            others = ReductionSoftwareVersion.objects.filter(software=step.software_id, deprecated=False)
            known = ", ".join(map(str, sorted(others, key=_rank, reverse=True)[:SHOWN])) or "none is registered"
            raise Refused(
                f"{name_row(ReductionStep, step.pk)}: its pinned version {step.pinned_version} is deprecated; pin "
                f"another one (not deprecated: {known}), or plan with allow_deprecated"
            )
        return step.pinned_version
    usable = list(ReductionSoftwareVersion.objects.filter(software=step.software_id, deprecated=False))
    if step.version_policy == VersionPolicy.COMPATIBLE:
        pinned = _rank(step.pinned_version)
        usable = [version for version in usable if _rank(version) >= pinned and _rank(version)[0][:1] == pinned[0][:1]]
    if not usable:
        raise Refused(
            f"{name_row(ReductionStep, step.pk)}: its software has no version that is not deprecated and fits the "
            f"policy {step.version_policy}"
            + (f" {step.pinned_version}" if step.version_policy == VersionPolicy.COMPATIBLE else "")
            + "; register one, or change the policy"
        )
    return max(usable, key=_rank)


def _rank(version):
    """Return the sort key of a version: its numbers, whether it is a release, the rest, and the age of the row."""
    numbers, rest = re.fullmatch(r"[vV]?([0-9]+(?:\.[0-9]+)*)?(.*)", version.version, re.DOTALL).groups()
    release = [int(number) for number in (numbers or "").split(".") if number]
    while release and release[-1] == 0 and len(release) > 1:
        release.pop()
    return release, rest == "" or rest.startswith("+"), rest, version.pk
