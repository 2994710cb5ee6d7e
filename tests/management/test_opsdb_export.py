"""``opsdb_export votable``: a file that the virtual observatory reads, however many rows it has."""

import io
import os
import stat
import warnings

import pytest
from astropy.io import votable as astropy_votable
from django.core.management import CommandError, call_command

from opsdb.models import ExecutedObsUnit, ObsCore, RawDataPackageMetadata, Source
from opsdb.models.data.obscore_columns import BY_NAME, COLUMNS
from opsdb.testing.factories import DataProductFactory, DataReleaseFactory
from opsdb.testing.nights import make_night
from opsdb.votable import votable
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db
NASTY = "<Mars & \"Moon\"> — Δ 'x' ]]> 🔭"


@shared_world
def night():
    """A night in the archive, with a product in a public release."""
    night = make_night(executions=2)
    DataReleaseFactory(name="DR", released=True, products=[DataProductFactory(run__input_packages=[night.packages[0]])])
    return night


def export(*arguments):
    out = io.StringIO()
    call_command("opsdb_export", "votable", *arguments, stdout=out)
    return out.getvalue()


def read(text):
    """Parse strictly: whatever astropy warns of is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return astropy_votable.parse(io.BytesIO(text.encode()), verify="exception")


def rows_of(text):
    return read(text).get_first_table().to_table()


def test_astropy_validates_it(night, tmp_path):
    path = tmp_path / "all.vot"
    assert export("--output", str(path)) == f"{path}: written\n"
    report = io.StringIO()
    assert astropy_votable.validate(str(path), output=report), report.getvalue()
    assert read(path.read_text()).version == "1.4"
    assert [*tmp_path.iterdir()] == [path]


def test_fields_say_what_the_standard_says(night):
    table = read(export()).get_first_table()
    assert [field.name for field in table.fields] == [column.name for column in COLUMNS]
    for field in table.fields:
        column = BY_NAME[field.name]
        assert (field.ID, field.ucd, field.utype) == (column.name, column.ucd, f"obscore:{column.utype}")
        assert str(field.unit or "") == column.unit
        assert field.description == column.meaning
        expected = {"INTEGER": "int", "BIGINT": "long", "DOUBLE": "double", "TIMESTAMP": "char"}
        assert field.datatype == expected.get(column.datatype, "unicodeChar")


def test_values_come_back_as_they_are(night):
    RawDataPackageMetadata.objects.update(target_name=NASTY, access_url="a\x01b", s_ra=0.1 + 0.2, s_xel1=2**53 + 1)
    found = rows_of(export("--collection", night.unit.observing_program.short_name))
    assert len(found) == 2
    for row in found:
        expected = ObsCore.objects.get(pk=row["obs_publisher_did"])
        assert (row["target_name"], row["access_url"]) == (NASTY, "a�b")
        assert (row["s_ra"], row["s_xel1"], row["t_min"]) == (0.1 + 0.2, 2**53 + 1, expected.t_min)
        assert row["obs_creation_date"] == f"{expected.obs_creation_date:%Y-%m-%dT%H:%M:%S.%f}"[:-3]
        assert found["s_xel2"].mask.all() and found["access_estsize"].unit == "kbyte"


def test_it_is_chosen_from(night):
    execution = ExecutedObsUnit.objects.earliest("start_time")
    program, source = night.unit.observing_program.short_name, Source.objects.get(pk=night.unit.source_id)
    Source.objects.filter(pk=source.pk).update(aliases=["the alias"])
    assert len(rows_of(export())) == 3
    assert len(rows_of(export("--program", program))) == 3
    assert len(rows_of(export("--public"))) == len(rows_of(export("--collection", "DR 1.0"))) == 1
    assert len(rows_of(export("--source", "THE alias"))) == 3
    assert len(rows_of(export("--night", f"{execution.start_time:%Y-%m-%d}"))) in (0, 3)
    assert len(rows_of(export("--night", "2001-01-01"))) == 0
    for wrong, problem in (
        (("--program", "none"), "There is no observing program 'none'; give its short name"),
        (("--source", "none"), "There is no source 'none'"),
        (("--night", "today"), "--night must be a date such as 2026-06-15, not 'today'"),
        (("--limit", "0"), "--limit must be a whole number from 1 to 1000000000000, not 0"),
        (("--limit", "9" * 20), "--limit must be a whole number from 1 to 1000000000000, not 99999999999999999999"),
        (("--program", "W\udcff"), r"program: 'W\xff' is not UTF-8"),
        (("--source", "W\udcff"), r"source: 'W\xff' is not UTF-8"),
        (("--collection", "W\udcff"), r"collection: 'W\xff' is not UTF-8"),
        (("--output", ""), "--output must be the name of a file, not ''"),
        (("--output", "."), "--output must be the name of a file, not '.'"),
        (("--output", "/"), "--output must be the name of a file, not '/'"),
        (("--output", "/no/such/folder/x.vot"), "/no/such/folder/x.vot can't be written"),
    ):
        with pytest.raises(CommandError) as caught:
            export(*wrong)
        assert str(caught.value).startswith(problem)


def test_a_limit_is_noted_in_the_file(night):
    assert 'value="OVERFLOW"' not in export("--limit", "3")
    cut = export("--limit", "2")
    assert len(rows_of(cut)) == 2 and cut.count('<INFO name="QUERY_STATUS" value="OVERFLOW"/>') == 1


def test_a_file_that_fails_leaves_the_old_one(night, tmp_path, monkeypatch):
    path = tmp_path / "all.vot"
    path.write_text("old")

    def breaks(*arguments, **options):
        yield "new"
        raise RuntimeError("power cut")

    monkeypatch.setattr("opsdb.votable.votable", breaks)
    with pytest.raises(RuntimeError):
        export("--output", str(path))
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]


def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(night, tmp_path):
    (tmp_path / "folder").mkdir()
    file, link, dangling = tmp_path / "folder" / "all.vot", tmp_path / "link.vot", tmp_path / "dangling.vot"
    file.write_text("old")
    link.symlink_to(file)
    dangling.symlink_to(tmp_path / "folder" / "new.vot")
    for each in (link, dangling):
        assert export("--output", str(each)) == f"{each}: written\n"
        assert each.is_symlink() and len(rows_of(each.resolve().read_text())) == 3
    assert sorted(one.name for one in file.parent.iterdir()) == ["all.vot", "new.vot"]


def test_a_pipe_is_written_to(night, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert export("--output", str(pipe), "--limit", "1") == ""
        assert len(rows_of(os.read(reader, 60_000).decode())) == 1
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode) and [*tmp_path.iterdir()] == [pipe]


def test_rows_are_written_as_they_come():
    asked = []

    def rows():
        for number in range(1_000_000):
            asked.append(number)
            yield [None] * len(COLUMNS)

    parts = votable(rows())
    while "<TR>" not in next(parts):
        pass
    assert asked == [0]
