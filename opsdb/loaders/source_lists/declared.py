"""Lists with a source a line, each format declared by what a line looks like and what its words mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TRIPLE = r"\d{1,3}[:\s]\s*\d{1,2}[:\s]\s*\d{1,2}(?:\.\d*)?"
ANGLE = r"[+-]?\s?[\d.][\d:.]*"
VELOCITY = r"[+-]?\s*\d+(?:\.\d*)?"

Cells = Mapping[str, str]
"""Texts by columns of a table of sources."""


@dataclass(frozen=True)
class LineFormat:
    """A format with a source a line.

    Attributes:
        name: what the command calls it.
        of: whose lists these are, for messages.
        line: what a line with a source looks like. Its groups are columns of a table of sources, or ``system``,
            ``frame`` and ``convention``, whose words the mappings below explain; other groups are left out. A sign may
            be apart from its number.
        shape: the same for people.
        comments: the characters with which a line without a source begins.
        system_word: text before the word for the system, for messages.
        systems: columns by the word for the system; ``""`` for a line without one. A missing ``equinox`` among them is
            taken from the option.
        frames, conventions: a value of the column by each word.
        alias_mark: between a name and its aliases.
        nothing: words for an unknown value.
    """

    name: str
    of: str
    line: re.Pattern[str]
    shape: str
    comments: str = "!"
    system_word: str = ""
    systems: Mapping[str, Cells] = field(default_factory=dict)
    frames: Mapping[str, str] = field(default_factory=dict)
    conventions: Mapping[str, str] = field(default_factory=dict)
    alias_mark: str = ""
    nothing: tuple[str, ...] = ()


NEEDS_EQUINOX = "?"
"""Equinox of a line that does not give it; the option must."""

# vizier.cfa.harvard.edu/doc/man/gildas/html/astro-html (SOURCE catalogs), apex-telescope.org/observing/apecs
GILDAS = LineFormat(
    name="gildas",
    of="APEX and IRAM (GILDAS)",
    line=re.compile(
        rf"""(?P<name>\S+)\s+
        (?:(?P<system>EQ|GA|EC|DA|HO|AZ)\s+(?:[JB]?(?P<equinox>\d{{4}}(?:\.\d*)?)\s+)?)?
        (?P<longitude>{ANGLE})\s+(?P<latitude>{ANGLE})
        (?:\s+(?P<frame>[A-Za-z]+)\s+(?P<velocity>{VELOCITY}))?
        (?:\s*!+\s*(?P<comment>.*))?""",
        re.VERBOSE | re.IGNORECASE,
    ),
    shape="name[|alias] [EQ equinox | GA | EC equinox] longitude latitude [LS|HELIO velocity] [! comment]",
    systems={
        "": {"system": "", "equinox": NEEDS_EQUINOX, "longitude": "hours"},
        "EQ": {"system": "", "equinox": NEEDS_EQUINOX, "longitude": "hours"},
        "GA": {"system": "GALACTIC", "equinox": ""},
        "EC": {"system": "ECLIPTIC", "equinox": NEEDS_EQUINOX},
    },
    frames={
        **dict.fromkeys(("LS", "LSR"), "LSRK"),
        **dict.fromkeys(("HE", "HEL", "HELIO"), "heliocentric"),
        **dict.fromkeys(("EA", "EARTH"), "topocentric"),
    },
    conventions={"": "radio"},
    alias_mark="|",
)

# Astro::Catalog::IO::JCMT (github.com/eaobservatory/perl-Astro-Catalog) and the JCMT's pointing catalogue.
JCMT = LineFormat(
    name="jcmt",
    of="the JCMT",
    line=re.compile(
        rf"""(?P<name>\S.*?)\s+(?P<longitude>{TRIPLE})\s+(?P<latitude>[+-]?\s*{TRIPLE})\s+(?P<system>RJ|RB|GA|AZ)
        (?:\s+(?P<velocity>n/a|{VELOCITY})(?=\s|$))?
        (?:\s+(?P<flux>n/a|[<>]?\d+(?:\.\d*)?)(?=\s|$))?
        (?:\s+(?P<range>n/a|\d+(?:\.\d*)?)(?=\s|$))?
        (?:\s+(?P<frame>n/a|[A-Z]{{3,4}})(?=\s|$))?
        (?:\s+(?P<convention>n/a|RADIO|OPTICAL|REDSHIFT|RELATIVISTIC)(?=\s|$))?
        # What is left is no comment if it looks like columns that were not understood.
        (?:\s+(?P<comment>(?!.*\b(?:LSR[KD]?|HEL|BAR|TOPO?|GEO|RADIO|OPTICAL|REDSHIFT|RELATIVISTIC)\b).*))?""",
        re.VERBOSE,
    ),
    shape="name hh mm ss.s [+-] dd mm ss.s RJ|RB|GA [velocity flux range frame convention] [comment]",
    comments="*%",
    systems={
        "RJ": {"system": "J2000", "equinox": ""},
        "RB": {"system": "B1950", "equinox": ""},
        "GA": {"system": "GALACTIC", "equinox": ""},
    },
    frames={"": "LSRK", "LSR": "LSRK", "LSRK": "LSRK", "HEL": "heliocentric", "BAR": "barycentric"},
    conventions={"": "radio", "RADIO": "radio", "OPTICAL": "optical", "REDSHIFT": "redshift"},
    nothing=("n/a",),
)

# eff100mwiki.mpifr-bonn.mpg.de, "Vax Catalog Format"; the headers COMMON and INDIVIDUAL are read apart.
EFFELSBERG = LineFormat(
    name="effelsberg",
    of="Effelsberg",
    line=re.compile(
        rf"""SNAM\s*=\s*(?P<name>[^;]*?)\s*;\s*(?:SBAS\s*=\s*(?P<system>-?\d)\s*;\s*)?
        SLAM\s*=\s*(?P<longitude>[+-]?\s*[\d:.\s]+?)\s*(?P<time>s?)\s*;
        \s*SBET\s*=\s*(?P<latitude>[+-]?\s*[\d:.\s]+?)\s*"?\s*
        (?:;\s*(?P<frame>VLSR|VHEL|VBAR)\s*=\s*(?P<velocity>{VELOCITY})\s*)?;?
        (?:\s*!+\s*(?P<comment>.*))?""",
        re.VERBOSE | re.IGNORECASE,
    ),
    system_word="SBAS= with ",
    shape='SNAM=name ; SLAM=hh mm ss.s s; SBET=dd mm ss.s "; VLSR=velocity',
    systems={
        "-1": {"system": "J2000", "equinox": ""},
        "0": {"system": "GALACTIC", "equinox": ""},
        "1": {"system": "B1950", "equinox": ""},
    },
    frames={"VLSR": "LSRK", "VHEL": "heliocentric", "VBAR": "barycentric"},
    conventions={"": "radio"},
)

LINE_FORMATS = {one.name: one for one in (GILDAS, JCMT, EFFELSBERG)}
