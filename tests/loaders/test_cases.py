"""Files as observers have them, which once went wrong: each loads with the right numbers or is refused in one sentence.

The files are in ``cases/``. Every case is loaded by the command and by the admin's import with its preview. The right
values were computed by astropy, apart from the loaders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client

from opsdb.loaders import kinds
from opsdb.models import (
    ConstantElevationSource,
    Downtime,
    FixedSource,
    PreScheduledSlot,
    SolarSystemObject,
    Source,
    TimeAllocation,
)
from opsdb.testing.factories import UserFactory

FILES = Path(__file__).parent / "cases"
HUNDREDTH_ARCSEC = 0.01 / 3600
SCHEDULE = {"program": "WFS", "create_missing": True}


@dataclass
class Case:
    """Files that are loaded one after the other, and what is then right.

    Attributes:
        kind: of the last file.
        file: the last one.
        before: files of sources that are loaded first.
        options: of the last file.
        right: asserts what is in the database.
        notes: what the plan mentions.
        refused: what is said, line by line, if the last file is refused.
    """

    kind: str
    file: str
    right: Callable[[], None] = lambda: None
    before: tuple[str, ...] = ()
    options: dict | None = None
    notes: tuple[str, ...] = ()
    refused: str | tuple[str, ...] = ""


def close(*values):
    return pytest.approx(values, abs=HUNDREDTH_ARCSEC)


def place(name):
    source = FixedSource.objects.get(name=name)
    return source.ra_deg, source.dec_deg


def slots():
    return [
        (
            f"{slot.start_time:%Y-%m-%d %H:%M:%S} {slot.end_time:%H:%M:%S}",
            slot.azimuth_min_deg,
            slot.azimuth_max_deg,
            slot.elevation_deg,
            slot.boresight_angle_deg,
        )
        for slot in PreScheduledSlot.objects.order_by("start_time")
    ]


def one_slot_of_the_minimal_table():
    assert slots() == [("2026-09-25 02:00:00 03:00:00", 100, 120, 50, 0)]


def two_slots_of_toast():
    assert slots() == [
        ("2026-09-25 02:00:00 03:00:00", 30, 150, 40, 0),
        ("2026-09-25 03:00:00 04:00:00", 210, 330, 40, 180),
    ]


def slots_of_the_planner():
    found = PreScheduledSlot.objects.order_by("start_time")
    assert found.count() == 31
    assert f"{found[0].start_time:%F %T.%f} {found[0].azimuth_min_deg}" == "2027-06-15 01:00:00.000000 180.0"
    assert FixedSource.objects.get(name="T1_daisy").ra_deg == pytest.approx(232, abs=HUNDREDTH_ARCSEC)


def the_verbose_schedule():
    assert slots() == [
        ("2026-09-01 22:59:59 23:59:59", 30, 150, 40, 180),
        ("2026-09-01 23:59:59 00:59:59", 30, 150, 40, 0),
    ]
    assert list(PreScheduledSlot.objects.order_by("start_time").values_list("scan_index", "subscan_index")) == [
        (1, 5),
        (1, 6),
    ]


def a_slot_beyond_the_predictions():
    assert slots() == [("2026-12-01 06:00:00 07:00:00", 35, 75, 50, 0)]
    field = ConstantElevationSource.objects.get(name="Iers20261201")
    edges = (field.ra_min_deg, field.ra_max_deg, field.dec_min_deg, field.dec_max_deg)
    assert edges == pytest.approx((114.03453, 145.95395, -8.29809, 10.78992), abs=0.005)


def four_fields():
    assert [place(name) for name in ("tclash", "Other field", "Second field", "Third field")] == [
        (10, -10),
        (120, -20),
        (130, -25),
        (140, -30),
    ]


def the_exact_name():
    assert (place("Tclash"), place("tclash")) == ((200, -40), (10, -10))


def four_plain_names():
    assert place("C\\2020") == close(9.9999915, 19.9999985)  # FK5
    assert place("X1") == close(84.0949940, -6.7686059)
    assert place("X3") == close(266.59625, -29.62332)
    assert place("X4") == close(2.4999936, -0.0083356)
    assert FixedSource.objects.get(name="X1").vlsr_km_s == 8


def fk4_of_1950():
    assert place("Eqx 3C273") == place("Eqx bare") == close(187.277899, 2.052350)
    assert set(FixedSource.objects.values_list("frame", "equinox")) == {("fk4", "B1950")}


def fields_of_the_planner():
    assert place("T1_daisy") == close(232, -34)
    field = ConstantElevationSource.objects.get(name="T1_CE")
    edges = (field.ra_min_deg, field.ra_max_deg, field.dec_min_deg, field.dec_max_deg)
    assert edges == pytest.approx((257.7098, 278.2902, -33, -25), abs=1e-4)
    assert field.comment == "constant_el 18° × 8°, 0.7 deg/s, priority 0.5"


def r_andromedae():
    source = FixedSource.objects.get(name="R-And")
    assert (source.longitude_deg, source.latitude_deg) == close(6.00807917, 38.57697778)
    assert (source.frame, source.equinox) == ("fk5", "J2000")
    assert (source.vlsr_km_s, source.comment) == (-15, "Pointing source")


def sources_of_iram():
    assert FixedSource.objects.get(name="B0415+379").aliases == ["3C111"]
    assert place("IRC+50096") == close(51.622656, 47.529743)  # FK4 B1950
    assert place("MUCEP88") == close(325.8768045, 58.7799136)
    assert FixedSource.objects.get(name="OH26.5+0.6").vlsr_km_s == 27


def bodies():
    found = {
        body.name: (body.ephemeris_name, body.naif_id, body.horizons_id) for body in SolarSystemObject.objects.all()
    }
    assert found == {
        "Moon": ("moon", 301, "301"),
        "Ceres": ("ceres", 2000001, "1;"),
        "Pluto": ("pluto", 999, "999"),
        "Juno": ("juno", 2000003, "3;"),
        "67P": ("67P", 1000012, "90000702"),
        "C/2023 A3 (Tsuchinshan-ATLAS)": ("C/2023 A3 (Tsuchinshan-ATLAS)", 1003947, "C/2023 A3"),
        "K12TB3C": ("K12TB3C", None, "K12TB3C"),
        "K12Tb3C": ("K12Tb3C", None, "K12Tb3C"),
    }


def bodies_by_name_only():
    found = {body.name: body.naif_id for body in SolarSystemObject.objects.all()}
    assert found == {"Moon": 301, "Ceres": 2000001, "Pluto": 999, "Juno": 2000003, "K12TB3C": None, "K12Tb3C": None}


def bodies_of_a_list():
    found = {body.name: (body.naif_id, body.horizons_id) for body in SolarSystemObject.objects.all()}
    assert found == {
        "Pluto": (999, "999"),
        "Ceres": (2000001, "1;"),
        "Callisto": (504, "504"),
        "67P": (None, "67P"),
    }


def names_with_marks():
    assert {"Stephan#1", "C\\2020", "HH1-2!VLA", "X1", "X3", "X4"} <= set(Source.objects.values_list("name", flat=True))
    assert place("C\\2020") == close(9.9999915, 19.9999985)  # FK5
    assert place("X3") == close(266.59625, -29.62332)


def one_source_of_two_rows():
    source = FixedSource.objects.get(name="N7538IRS1")
    assert (source.comment, source.vlsr_km_s) == ("five-point; line calibrator", -57)


def whole_days():
    down = Downtime.objects.get()
    assert f"{down.start_time:%F %T} {down.end_time:%F %T}" == "2031-05-04 00:00:00 2031-05-09 00:00:00"


def one_velocity():
    assert FixedSource.objects.get().vlsr_km_s == 1142


CASES = [
    Case("slots", "toast_v5.ecsv", two_slots_of_toast, options=SCHEDULE),
    Case("slots", "qtable_min.ecsv", one_slot_of_the_minimal_table, options=SCHEDULE),
    Case("slots", "qtable_plain.ecsv", one_slot_of_the_minimal_table, options=SCHEDULE),
    Case("slots", "time_tai.ecsv", one_slot_of_the_minimal_table, options=SCHEDULE),
    Case("slots", "fyst_v010.ecsv", slots_of_the_planner, options=SCHEDULE),
    Case("slots", "fyst_v010_plain.ecsv", slots_of_the_planner, options=SCHEDULE),
    Case("slots", "iers_2026-12-01.txt", a_slot_beyond_the_predictions, options=SCHEDULE),
    Case("sources", "eqx.csv", fk4_of_1950),
    Case("sources", "eqx2.csv", refused="line 2, equinox: 'B1950' contradicts the system J2000; expected J2000"),
    Case("sources", "excel2.csv", refused="line 2, ra: '12:05.4' has two parts: a spreadsheet may have cut"),
    Case(
        "sources",
        "clash.csv",
        four_fields,
        notes=(
            "'Tclash' is a name or alias of Other field and of tclash",
            "'Tshared' is a name or alias of Second field and of Third field",
        ),
    ),
    Case(
        "sources",
        "clash2.csv",
        the_exact_name,
        before=("clash.csv",),
        notes=("'Tclash' is a name or alias of Other field and of Tclash",),
    ),
    Case(
        "slots",
        "toast_clash.txt",
        before=("clash.csv", "clash2.csv"),
        options=SCHEDULE,
        refused="line 5, name: 'Tshared' is the name or an alias of several sources: Second field, Third field",
    ),
    Case(
        "obs-units",
        "units_clash.csv",
        before=("clash.csv",),
        refused="line 2, source: 'Tshared' is the name or an alias of several sources: Second field, Third field",
    ),
    Case("slots", "vprec.txt", the_verbose_schedule, options=SCHEDULE),
    Case("sources", "ccat.csv", fields_of_the_planner),
    Case("sources", "apex.cat", r_andromedae),
    Case("sources", "iram.sou", refused="line 1: 'IRC+50096' has no equinox; expected --equinox"),
    Case("sources", "iram.sou", sources_of_iram, options={"equinox": "B1950"}),
    Case("sources", "vel.csv", refused="line 3, vlsr_km_s: 'z=0.0038' is not valid; expected a number of km/s"),
    Case("sources", "vel2.csv", refused="line 2, velocity_frame: 'topo' depends on the time of an observation"),
    Case(
        "sources", "vel3.csv", one_velocity, notes=("is taken for a radial velocity, kinematic local standard of rest",)
    ),
    Case("sources", "bodies.csv", bodies, notes=("1 Ceres is Ceres", "'Ceres' repeats line 3")),
    Case("sources", "bodies2.csv", bodies_by_name_only),
    Case("sources", "bodies.kosma", bodies_of_a_list),
    Case("sources", "k1.kosma", names_with_marks),
    Case("sources", "k2.kosma", four_plain_names),
    Case("sources", "dups.kosma", one_source_of_two_rows, notes=("'N7538IRS1' repeats line 1",)),
    Case(
        "allocations",
        "alloc_excel.csv",
        refused=(
            "line 2, hours: '380,5' is not valid; expected a number of hours above 0",
            "line 3, start_date: '01.09.2027' is not valid; expected a date such as",
            "line 3, end_date: '01.03.2028' is not valid",
            "line 4, start_date: '46447' is not valid",
            "line 4, end_date: '46631' is not valid",
        ),
    ),
    Case("downtimes", "down_dates.csv", whole_days),
]


def by_command(kind, file, options):
    """Load a file by the command; return what is printed, and what is said if it is refused."""
    flags = [
        f"--{name.replace('_', '-')}" if value is True else f"--{name.replace('_', '-')}={value}"
        for name, value in options.items()
    ]
    out = StringIO()
    try:
        call_command("opsdb_load", kind, str(FILES / file), *flags, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def by_admin(client):
    """Return a function that loads a file by the admin's import, as :func:`by_command` does."""

    def load(kind, file, options):
        model = kinds()[kind].model._meta.model_name
        url = f"/admin/opsdb/{model}/import/{kind}/"
        upload = SimpleUploadedFile(file, (FILES / file).read_bytes())
        marked = {name: "on" if value is True else value for name, value in options.items()}
        page = client.post(url, {"file": upload, "on_conflict": "error", **marked})
        assert page.status_code == 200
        if problems := page.context["problems"]:
            return "", str(problems)
        assert page.context["signed"], page.context["form"].errors
        assert page.context["plan"].counted("create") and not page.context["plan"].applied
        done = client.post(url, {"opsdb_signed": page.context["signed"], "reason": "a case"})
        assert done.status_code == 302
        return "\n".join(page.context["plan"].notes), ""

    return load


def test_every_file_is_a_case():
    used = {case.file for case in CASES} | {file for case in CASES for file in case.before}
    assert used == {path.name for path in FILES.iterdir()}


@pytest.mark.parametrize("way", ["command", "admin"])
def test_every_case_loads_with_the_right_numbers_or_is_refused_in_one_sentence(
    reference, listing_no_models, subtests, way
):
    client = Client()
    client.force_login(UserFactory(superuser=True))
    load = by_command if way == "command" else by_admin(client)
    for case in CASES:
        with subtests.test(case.file), transaction.atomic():
            for file in case.before:
                load("sources", file, {})
            before = _written()
            said, refused = load(case.kind, case.file, case.options or {})
            if case.refused:
                said_of_it = (case.refused,) if isinstance(case.refused, str) else case.refused
                assert all(one in refused for one in said_of_it)
                assert len(refused.splitlines()[0]) < 600
                assert _written() == before
            else:
                assert refused == ""
                case.right()
                assert all(note in said for note in case.notes)
            transaction.set_rollback(True)


def _written():
    return [model.objects.count() for model in (Source, PreScheduledSlot, TimeAllocation, Downtime)]


def test_the_exact_name_is_meant_before_another_letter_case_and_an_alias(reference, tmp_path):
    by_command("sources", "clash.csv", {})
    by_command("sources", "clash2.csv", {})
    text = (FILES / "toast_clash.txt").read_text().rstrip("\n").rsplit("\n", 1)[0] + "\n"
    path = tmp_path / "one.txt"
    path.write_text(text)
    call_command("opsdb_load", "slots", str(path), "--program=WFS", "--create-missing", verbosity=0)
    assert PreScheduledSlot.objects.get().obs_unit.source.specific.ra_deg == 200
