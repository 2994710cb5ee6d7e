"""Bodies of the solar system that telescopes know by name, and the designations of all others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

# NAIF Integer ID codes, naif.jpl.nasa.gov/pub/naif/toolkit_docs/C/req/naif_ids.html
PLANETS_AND_MOONS = {
    "Sun": 10,
    "Mercury": 199,
    "Venus": 299,
    "Moon": 301,
    "Mars": 499,
    "Phobos": 401,
    "Deimos": 402,
    "Jupiter": 599,
    "Io": 501,
    "Europa": 502,
    "Ganymede": 503,
    "Callisto": 504,
    "Saturn": 699,
    "Mimas": 601,
    "Enceladus": 602,
    "Tethys": 603,
    "Dione": 604,
    "Rhea": 605,
    "Titan": 606,
    "Hyperion": 607,
    "Iapetus": 608,
    "Phoebe": 609,
    "Uranus": 799,
    "Ariel": 701,
    "Umbriel": 702,
    "Titania": 703,
    "Oberon": 704,
    "Miranda": 705,
    "Neptune": 899,
    "Triton": 801,
    "Pluto": 999,
    "Charon": 901,
}
# Numbered minor planets 1 to 100 (Minor Planet Center); NAIF numbers them from 2000001.
ASTEROIDS = """
    Ceres Pallas Juno Vesta Astraea Hebe Iris Flora Metis Hygiea
    Parthenope Victoria Egeria Irene Eunomia Psyche Thetis Melpomene Fortuna Massalia
    Lutetia Kalliope Thalia Themis Phocaea Proserpina Euterpe Bellona Amphitrite Urania
    Euphrosyne Pomona Polyhymnia Circe Leukothea Atalante Fides Leda Laetitia Harmonia
    Daphne Isis Ariadne Nysa Eugenia Hestia Aglaja Doris Pales Virginia
    Nemausa Europa Kalypso Alexandra Pandora Melete Mnemosyne Concordia Elpis Echo
    Danaë Erato Ausonia Angelina Cybele Maja Asia Leto Hesperia Panopaea
    Niobe Feronia Klytia Galatea Eurydike Freia Frigga Diana Eurynome Sappho
    Terpsichore Alkmene Beatrix Klio Io Semele Sylvia Thisbe Julia Antiope
    Aegina Undina Minerva Aurora Arethusa Aegle Klotho Ianthe Dike Hekate
"""
FIRST_ASTEROID_NAIF_ID = 2_000_000
OTHER_SPELLINGS = {"danae": "danaë"}

# Designations as JPL Horizons takes them: numbered and named comets, provisional ones, old and packed.
_DESIGNATION = re.compile(
    r"""\d{1,4}[PDI](?:-[A-Z]{1,2})?(?:/\S.*)?          # 67P, 73P-C, 1I/'Oumuamua
      | [CPDXAI]/-?\d{1,4}\s[A-Z]{1,2}\d{0,3}(?:-[A-Z]{1,2})?(?:\s\(.+\))?  # C/2023 A3 (Tsuchinshan-ATLAS)
      | (?:18|19|20)\d\d\s[A-Z]{2}\d{0,3}               # 2023 DZ2
      | [I-L]\d\d[A-Z][0-9A-Za-z]\d[A-Za-z]             # K12TB3C
      | \(\d{1,7}\)\s[A-Z]\S*                             # (433) Eros; without brackets it may be a star, as 30 Dor
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Body:
    """A body that is known by name."""

    name: str
    naif_id: int
    horizons_id: str


@cache
def _bodies() -> dict[str, Body]:
    found = {}
    for number, name in enumerate(ASTEROIDS.split(), 1):
        is_moon_too = name in PLANETS_AND_MOONS
        # The semicolon makes Horizons look among small bodies: "1" is the barycentre of Mercury, "1;" is Ceres.
        body = Body(f"{number} {name}" if is_moon_too else name, FIRST_ASTEROID_NAIF_ID + number, f"{number};")
        found |= {f"{number} {name}".casefold(): body, f"({number}) {name}".casefold(): body}
        found.setdefault(name.casefold(), body)
    return found | {name.casefold(): Body(name, number, str(number)) for name, number in PLANETS_AND_MOONS.items()}


def body_called(name: str) -> Body | None:
    """Return the body of a name, such as ``Mars``, ``Ceres`` or ``1 Ceres``, or None; a moon before an asteroid."""
    folded = " ".join(name.casefold().split())
    for other, spelling in OTHER_SPELLINGS.items():
        folded = folded.replace(other, spelling)
    return _bodies().get(folded)


def body_names() -> Iterable[str]:
    """Return the names of the Sun, the planets and the large moons, and of some asteroids, for messages."""
    return (*PLANETS_AND_MOONS, *ASTEROIDS.split()[:4])


def is_designation(name: str) -> bool:
    """Whether a name is a comet's or an asteroid's designation, such as ``67P``, ``C/2023 A3`` or ``K12TB3C``."""
    return _DESIGNATION.fullmatch(name) is not None


def horizons_id_of(designation: str) -> str:
    """Return what JPL Horizons looks a designation up by: without the discoverer's name."""
    bare = re.sub(r"\s*\(.*\)$", "", designation)
    if comet := re.match(r"(\d{1,4}[PDI](?:-[A-Z]{1,2})?)/", bare):
        return comet[1]
    if numbered := re.match(r"\((\d{1,7})\)\s", bare):
        return f"{numbered[1]};"
    return bare


def is_planet_or_moon(name: str) -> bool:
    """Whether a name is that of the Sun, a planet or a large moon; fields on the sky have names of asteroids too."""
    body = body_called(name)
    return body is not None and body.naif_id < FIRST_ASTEROID_NAIF_ID
