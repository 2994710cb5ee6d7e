"""Reference data as files: written, read again, and nothing is different."""

import json
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsdb.loaders import LoadError
from opsdb.loaders.reference import REFERENCE_DIRECTORY, Mode, export_reference, load_reference
from opsdb.loaders.reference.export import as_published
from opsdb.loaders.reference.schema import FOLDER, schemas
from opsdb.models import (
    DataLocation,
    DiskDataLocation,
    Instrument,
    InstrumentModule,
    ObservingProgram,
    ObsMode,
    Role,
    S3DataLocation,
    Site,
    Telescope,
)

pytestmark = pytest.mark.django_db

# What PostgreSQL can hold, with what YAML takes for something else.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "no",
        "1e3",
        "2026-01-01",
        "12:30:45",
        "~",
        "*:*",
        "&a",
        "- x",
        "a: b",
        " x ",
        "x\n\n y\n",
        "\u2028\x85\ufeff",
        "\x85D%",
        "x\u2028y",
        "=",
        "<<",
    ]
)
NUMBERS = st.floats(-90, 90)
SOME = st.integers(0, 2**31 - 1)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("**/*")) if path.is_file()}


@contextmanager
def undone():
    """Changes that end with the block."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def change_as_operators_do(draw):
    """Change what the admin lets people change, of every model, and add rows of their own."""
    Telescope.objects.update(description=draw(TEXTS), latitude_deg=draw(NUMBERS), elevation_m=draw(NUMBERS))
    ObsMode.objects.create(name=draw(TEXTS.filter(bool)) + "'", description=draw(TEXTS))
    ObsMode.objects.filter(name="focus").delete()
    InstrumentModule.objects.filter(name="LFA").update(pixels=None, available=draw(st.booleans()))
    program = ObservingProgram.objects.get(short_name="WFS")
    program.instruments.set(draw(st.sets(st.sampled_from(list(Instrument.objects.all())))))
    program.lead = draw(TEXTS)
    program.save()
    DataLocation.objects.filter(name="buffer").update(capacity_bytes=draw(SOME) + 2**40, comment=draw(TEXTS))
    DiskDataLocation.objects.filter(name="chai").update(host=draw(TEXTS), path="/" + draw(TEXTS).replace(".", ""))
    S3DataLocation.objects.create(site=Site.objects.first(), name="own", location_type="buffer", bucket="b")
    role = Role.objects.create(name=draw(TEXTS.filter(bool)) + "'", description=draw(TEXTS))
    everything = list(Permission.objects.order_by("content_type__app_label", "codename"))
    role.permissions.set(draw(st.sets(st.sampled_from(everything), max_size=200)))
    Role.objects.get(name="observer").permissions.remove(Permission.objects.get(codename="view_site"))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_init_from_an_export_changes_nothing_and_brings_the_state_back(reference, tmp_path, data):
    for folder in tmp_path.iterdir():
        rmtree(folder)
    before = tmp_path / "before"
    export_reference(before)
    with undone():
        change_as_operators_do(data.draw)
        after = tmp_path / "after"
        export_reference(after)
        for mode in Mode:
            assert load_reference(after, mode=mode).changes_nothing
        load_reference(before, mode=Mode.PRUNE)
        export_reference(tmp_path / "back")
        assert content(tmp_path / "back") == content(before)
        load_reference(after, mode=Mode.PRUNE)
        export_reference(tmp_path / "forth")
        assert content(tmp_path / "forth") == content(after)


def test_an_export_alone_makes_the_same_instance(reference, tmp_path):
    export_reference(tmp_path / "one")
    for model in (Role, DataLocation):
        model.objects.all().delete()
    load_reference(tmp_path / "one")
    export_reference(tmp_path / "two")
    assert content(tmp_path / "two") == content(tmp_path / "one")


def test_the_published_schemas_are_what_the_models_say(reference, tmp_path):
    """After a change of the models: manage.py opsdb_init --export DIR writes them."""
    published = REFERENCE_DIRECTORY / FOLDER
    assert {path.name: path.read_text() for path in published.iterdir()} == {
        name: as_published(schema) for name, schema in schemas().items()
    }
    export_reference(tmp_path / "new")
    assert content(tmp_path / "new" / FOLDER) == content(published)


def test_every_file_names_its_schema(reference, tmp_path):
    export_reference(tmp_path / "new")
    for folder in (REFERENCE_DIRECTORY, tmp_path / "new"):
        for path in folder.glob("*.yaml"):
            first = path.read_text().split("\n")[0]
            assert first.startswith("# yaml-language-server: $schema=")
            json.loads((folder / first.partition("=")[2]).read_text())


def test_a_folder_with_something_in_it_is_refused(reference, tmp_path):
    (tmp_path / "mine").write_text("x")
    for target in (tmp_path, tmp_path / "mine", Path("/proc/none/x")):
        with pytest.raises(LoadError, match="new or empty folder|can't be written"):
            export_reference(target)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_login_in_an_address_is_not_written(reference, tmp_path):
    S3DataLocation.objects.create(
        site=Site.objects.first(), name="own", location_type="buffer", bucket="b", endpoint_url="https://me:pa55@s3.org"
    )
    with pytest.raises(LoadError, match="endpoint_url holds a login") as caught:
        export_reference(tmp_path / "new")
    assert "pa55" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_groups_that_are_no_roles_are_left_alone(reference, tmp_path):
    group = Group.objects.create(name="theirs")
    export_reference(tmp_path / "new")
    assert "theirs" not in (tmp_path / "new" / "roles.yaml").read_text()
    load_reference(tmp_path / "new", mode=Mode.PRUNE)
    assert Group.objects.filter(pk=group.pk).exists()


def test_permissions_of_other_apps_are_named(reference, tmp_path):
    role = Role.objects.get(name="viewer")
    role.permissions.add(Permission.objects.get(codename="view_group", content_type__app_label="auth"))
    export_reference(tmp_path / "new")
    text = (tmp_path / "new" / "roles.yaml").read_text()
    assert "      - view:transfer\n      - auth.view_group\n" in text
    assert load_reference(tmp_path / "new", mode=Mode.EDIT).changes_nothing


def test_the_number_of_queries_does_not_grow_with_the_rows(reference, tmp_path, django_assert_num_queries):
    with django_assert_num_queries(20):
        export_reference(tmp_path / "few")
    ObsMode.objects.bulk_create(ObsMode(name=f"mode {number}") for number in range(100))
    InstrumentModule.objects.bulk_create(
        InstrumentModule(instrument=instrument, name=f"module {number}", frequency_min_ghz=1, frequency_max_ghz=2)
        for instrument in Instrument.objects.all()
        for number in range(20)
    )
    with django_assert_num_queries(20):
        export_reference(tmp_path / "many")
