"""What REC-ObsCore-v1.1 asks of every row of the view ``obscore``, and astropy of a VOTable of it."""

import io

from astropy.io import votable
from django.core.management import call_command

from opsdb.models import ObsCore
from opsdb.models.data.obscore import OBSCORE_PRODUCT_TYPES
from opsdb.models.data.obscore_columns import BY_NAME


def assert_values_hold_to_the_standard() -> int:
    """Look at every row, and return how many there are."""
    identifiers = set()
    for row in ObsCore.objects.values():
        for name, value in row.items():
            column = BY_NAME[name]
            assert value is not None or not column.not_null, name
            assert value != "", name
            if column.range and value is not None:
                least, greatest = column.range
                assert least <= value <= greatest, (name, value)
        assert row["dataproduct_type"] in (None, *OBSCORE_PRODUCT_TYPES)
        assert row["t_max"] is None or row["t_min"] <= row["t_max"]
        assert row["em_max"] is None or row["em_min"] <= row["em_max"]
        assert row["obs_publisher_did"].startswith("ivo://")
        assert row["data_rights"] in ("public", "secure", "proprietary")
        assert row["obs_publisher_did"] not in identifiers
        identifiers.add(row["obs_publisher_did"])
    return len(identifiers)


def assert_astropy_validates_a_votable(folder) -> None:
    """Write all of the view into a file in this folder, and validate it."""
    path, report = folder / "all.vot", io.StringIO()
    call_command("opsdb_export", "votable", output=str(path), stdout=io.StringIO())
    assert votable.validate(str(path), output=report), report.getvalue()
