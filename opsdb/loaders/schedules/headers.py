"""What the headers of all formats of schedules have in common: comments, and the site."""

from __future__ import annotations

import math
from typing import Any

from ..errors import LoadProblems, shown


def is_comment(line: str) -> bool:
    """Return whether a line is a comment."""
    return line.lstrip().startswith("#")


def read_site(meta: dict[str, Any], line: int, problems: LoadProblems) -> dict[str, Any]:
    """Return the fields of a schedule that describe its site; what is wrong is noted.

    Args:
        meta: site_name, telescope_name, site_lat and site_lon, as far as the header has them.
        line: where the header has them.
        problems: those of the file.
    """
    telescope = meta.get("telescope_name")
    if not isinstance(telescope, str) or not telescope.strip():
        problems.add("telescope_name is missing from the header", expected="'# - {telescope_name: FYST}'", line=line)
    return {
        "site_name": str(meta.get("site_name") or ""),
        "telescope_name": str(telescope or "").strip(),
        "latitude_deg": _site_angle(meta.get("site_lat"), "site_lat", 90, line, problems),
        "longitude_deg": _site_angle(meta.get("site_lon"), "site_lon", 360, line, problems),
    }


def _site_angle(value, name, limit, line, problems):
    if value is None:
        return None
    try:
        degrees = float(value.to_value("deg") if hasattr(value, "to_value") else value)
    except (TypeError, ValueError):
        degrees = math.nan
    if not -limit <= degrees <= limit:
        problems.add(
            f"{shown(value)} is not an angle",
            expected=f"degrees from -{limit} to {limit}",
            line=line,
            column=name,
        )
        return None
    return degrees
