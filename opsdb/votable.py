"""Write rows of the view ``obscore`` as a VOTable, one after the other: however many there are, few are in memory.

VOTable 1.4 (REC-VOTable1.4), serialized as TABLEDATA, in the form that DALI 1.1 (section 4.4) gives to results.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from .models.data.obscore_columns import COLUMNS, PREFIX, ObsCoreColumn

NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"  # of all versions since 1.3
# The attributes of a FIELD by the type of its column. Texts may have any letter, and so are Unicode; regions are STC-S.
DATATYPES = {
    "VARCHAR": {"datatype": "unicodeChar", "arraysize": "*"},
    "CLOB": {"datatype": "unicodeChar", "arraysize": "*"},
    "REGION": {"datatype": "unicodeChar", "arraysize": "*", "xtype": "adql:REGION"},
    "TIMESTAMP": {"datatype": "char", "arraysize": "*", "xtype": "timestamp"},
    "INTEGER": {"datatype": "int"},
    "BIGINT": {"datatype": "long"},
    "DOUBLE": {"datatype": "double"},
}
# What positions and times refer to: MJD is day numbers of UTC, as the clocks at the telescope have it.
SYSTEMS = """\
<COOSYS ID="icrs" system="ICRS"/>
<TIMESYS ID="utc" timeorigin="MJD-origin" timescale="UTC" refposition="TOPOCENTER"/>
"""
REFERENCES = {"s_ra": "icrs", "s_dec": "icrs", "t_min": "utc", "t_max": "utc"}
# What XML 1.0 (section 2.2) has no way to write.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def votable(
    rows: Iterable[Sequence[Any]], *, columns: Sequence[ObsCoreColumn] = COLUMNS, limit: int | None = None
) -> Iterator[str]:
    """Yield a VOTable in parts.

    Args:
        rows: values in the order of the columns; None is an empty cell.
        columns: of ObsCore.
        limit: write at most this many rows, and ``OVERFLOW`` behind the table if there are more.
    """
    yield f"""\
<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="{NAMESPACE}">
<RESOURCE type="results">
<INFO name="QUERY_STATUS" value="OK"/>
{SYSTEMS}<TABLE name="obscore">
<DESCRIPTION>Data sets in the columns of IVOA ObsCore 1.1</DESCRIPTION>
"""
    yield from map(_field, columns)
    yield "<DATA>\n<TABLEDATA>\n"
    has_more = False
    for number, row in enumerate(rows):
        if has_more := limit is not None and number >= limit:
            break
        yield f"<TR>{''.join(map(_cell, row))}</TR>\n"
    yield "</TABLEDATA>\n</DATA>\n</TABLE>\n"
    if has_more:
        yield '<INFO name="QUERY_STATUS" value="OVERFLOW"/>\n'
    yield "</RESOURCE>\n</VOTABLE>\n"


def _field(column: ObsCoreColumn) -> str:
    attributes = {
        "ID": column.name,
        "name": column.name,
        **DATATYPES[column.datatype],
        "ucd": column.ucd,
        "utype": PREFIX + column.utype,
        "unit": column.unit,
        "ref": REFERENCES.get(column.name, ""),
    }
    given = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items() if value)
    return f"<FIELD {given}>\n<DESCRIPTION>{escape(column.meaning)}</DESCRIPTION>\n</FIELD>\n"


def _cell(value: Any) -> str:
    if value is None:
        return "<TD/>"
    if isinstance(value, datetime):
        text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    else:
        text = repr(value) if isinstance(value, float) else str(value)
    return f"<TD>{escape(NOT_IN_XML.sub('�', text))}</TD>"
