"""Sources from tables and lists: every position is in ICRS, and as it was given."""

import csv
import io
from time import perf_counter

import pytest
from astropy import units as u
from astropy.coordinates import FK4, BarycentricMeanEcliptic, SkyCoord
from pyongc import ongc

from opsdb.loaders.errors import LoadError
from opsdb.loaders.loading import export, load, prepare
from opsdb.models import ConstantElevationSource, FixedSource, SolarSystemObject, Source

pytestmark = pytest.mark.django_db

# SIMBAD's ICRS positions of sources that submillimetre telescopes know.
WELL_KNOWN = {
    "Orion KL": "05 35 14.16 -05 22 21.5",
    "Sgr A*": "17 45 40.0359 -29 00 28.169",
    "M31": "00 42 44.330 +41 16 07.50",
    "M87": "12 30 49.42338 +12 23 28.0439",
    "Vega": "18 36 56.33635 +38 47 01.2802",
    "Polaris": "02 31 49.09456 +89 15 50.7923",
    "Cas A": "23 23 24.000 +58 48 54.00",
    "LMC": "05 23 34.6 -69 45 22",
    "30 Dor": "05 38 42.396 -69 06 03.36",
    "IRC+10216": "09 47 57.40632 +13 16 43.5648",
}
SKY = {name: SkyCoord(text, unit=(u.hourangle, u.deg)) for name, text in WELL_KNOWN.items()}


@pytest.fixture
def file(tmp_path):
    """Write a text to a file."""

    def write(text, name="sources.csv"):
        path = tmp_path / name
        path.write_text(text, newline="")
        return path

    return write


def table(*rows):
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerows(rows)
    return stream.getvalue()


def off_by_arcsec(name):
    found = FixedSource.objects.get(name=name)
    return SkyCoord(found.ra_deg, found.dec_deg, unit="deg").separation(SKY[name]).arcsec


def test_thirteen_thousand_objects_of_opengnc_load_in_ten_seconds(file):
    objects = {one.name: one for one in ongc.listObjects() if one.ra != "N/A"}
    rows = [
        [one.name, one.ra, one.dec, "" if one.radvel is None else one.radvel, one.type] for one in objects.values()
    ]
    path = file(table(["name", "ra", "dec", "vlsr_km_s", "comment"], *rows))
    begun = perf_counter()
    plan = load("sources", path)
    took = perf_counter() - begun
    print("took", took, len(rows))
    assert plan.counted("create") == FixedSource.objects.count() > 13_000
    assert took < 10
    begun = perf_counter()
    assert prepare("sources", path).changes_nothing
    print("again", perf_counter() - begun)
