"""Reference data: declared in files, brought into the database, never deleted."""

from shutil import copytree

import pytest
from django.contrib.auth.models import Permission

from opsdb.loaders import LoadError
from opsdb.loaders.reference import REFERENCE_DIRECTORY, ArchiveMode, Mode, load_reference, read_reference
from opsdb.models import (
    DataLocation,
    DataTransferRoute,
    DiskDataLocation,
    Instrument,
    InstrumentModule,
    ObservingProgram,
    ObsMode,
    Role,
    S3DataLocation,
    Site,
    SubObservingProgram,
    Telescope,
)
from opsdb.testing.factories import ObsUnitFactory, UserFactory
from tests.workflows.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path):
    """A copy of the reference data of the package, to be spoilt."""
    return copytree(REFERENCE_DIRECTORY, tmp_path / "reference")


@pytest.fixture
def spoil(folder):
    """Change a text in a file of the copy."""

    def spoil(name, old, new):
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    return spoil


@pytest.fixture
def write(tmp_path):
    """A folder of reference data with these files."""

    def write(**files):
        folder = tmp_path / "own"
        folder.mkdir(exist_ok=True)
        (folder / "index.yaml").write_text("files: [" + ", ".join(f"{name}.yaml" for name in files) + "]\n")
        for name, text in files.items():
            (folder / f"{name}.yaml").write_text(text)
        return folder

    return write


def refused(folder, **how):
    before = (Telescope.objects.count(), Site.objects.count(), ObsMode.objects.count(), Role.objects.count())
    with pytest.raises(LoadError) as caught:
        load_reference(folder, **how)
    assert before == (Telescope.objects.count(), Site.objects.count(), ObsMode.objects.count(), Role.objects.count())
    return str(caught.value)


def test_the_observatory_is_as_documented(reference):
    fyst = Telescope.objects.get()
    assert (fyst.latitude_deg, fyst.longitude_deg, fyst.elevation_m) == (-22.985639, -67.740278, 5611.8)
    assert (fyst.observatory.name, fyst.observatory.time_zone) == ("CCAT Observatory", "America/Santiago")
    modules = {
        (module.instrument.name, module.name): (module.pixels, module.frequency_min_ghz, module.frequency_max_ghz)
        for module in InstrumentModule.objects.select_related("instrument")
    }
    assert modules["CHAI", "LFA"] == (64, 455, 495)
    assert modules["CHAI", "HFA"] == (64, 800, 820)
    assert ("CHAI", "Mini-CHAI") in modules
    assert {name for instrument, name in modules if instrument == "Prime-Cam"} == {
        "220GHz",
        "280GHz",
        "350GHz",
        "410GHz",
        "850GHz",
        "EoR-Spec-1",
        "EoR-Spec-2",
    }
    assert modules["Prime-Cam", "EoR-Spec-1"][1:] == (210, 420)


def test_every_site_has_what_data_need_on_their_way(reference):
    kinds = {
        site.short_name: set(site.data_locations.values_list("location_type", flat=True)) for site in Site.objects.all()
    }
    downstream = {"buffer", "long_term_archive", "processing"}
    assert kinds == {"ccat": {"source", "buffer"}, "cologne": downstream, "us": downstream}
    sources = DataLocation.objects.sources()
    assert {source.instrument for source in sources} == set(Instrument.objects.all())
    ends = DataTransferRoute.objects.values_list("origin_site__short_name", "destination_site__short_name")
    assert set(ends) == {("ccat", "cologne"), ("ccat", "us"), ("cologne", "us"), ("us", "cologne")}


def test_programs_and_modes_that_plans_refer_to_are_there(reference):
    assert {"GEco", "WFS", "DSS", "Cal", "ENG"} <= set(ObservingProgram.objects.values_list("short_name", flat=True))
    without_source = set(ObsMode.objects.filter(needs_source=False).values_list("name", flat=True))
    assert without_source == {"retune", "skydip", "focus", "pointing_cal"}


def permissions(role):
    return {permission.codename for permission in Role.objects.get(name=role).permissions.all()}


def test_roles_have_the_permissions_of_their_trade(reference):
    ours = Permission.objects.filter(content_type__app_label="opsdb")
    assert permissions("admin") == set(ours.values_list("codename", flat=True)) - {"approve_deletionrequest"}
    people = {"view_user", "view_role"}
    known = {"add_failureacknowledgement", "change_failureacknowledgement"}
    decides = {"approve_deletionrequest", "view_changelog", *people}
    assert permissions("approver") - permissions("viewer") == decides | known
    for role in ("viewer", "observer", "service"):
        assert permissions(role).isdisjoint({"view_apitoken", "view_changelog", *people}), role
    viewer, observer, service = permissions("viewer"), permissions("observer"), permissions("service")
    assert all(codename.startswith("view_") for codename in viewer)
    assert observer - viewer >= {"add_obsunit", "change_prescheduledslot", "assess_executedobsunit"}
    assert observer.isdisjoint({"add_executedobsunit", "change_executedobsunit", "change_rawdatafile", "change_user"})
    assert service - viewer >= {"add_executedobsunit", "add_rawdatafile", "change_datatransfer", "add_dataproduct"}
    assert observer >= known
    assert service.isdisjoint({"add_user", "change_obsunit", *known})
    assert not any(codename.startswith("delete_") for codename in viewer | observer | service)


def steps(result):
    return [(step.action, step.model, step.row, step.field, step.old, step.new) for step in result.steps]


def test_the_second_run_changes_nothing_in_any_mode(reference):
    assert reference.count("create") == reference.done.total() > 60
    for mode in Mode:
        again = load_reference(mode=mode)
        assert again.changes_nothing
        assert again.left.total() == reference.count("create")


def test_a_dry_run_tells_the_same_and_writes_nothing():
    dry = load_reference(dry_run=True)
    assert not Site.objects.exists()
    assert steps(dry) == steps(load_reference())


def test_a_table_without_rows_is_asked_for_rows_once(django_assert_max_num_queries):
    with django_assert_max_num_queries(310) as captured:
        load_reference()
    questions = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    for model in (ObsMode, Site, Telescope):
        assert sum(f'FROM "{model._meta.db_table}"' in question for question in questions) == 1


def test_edit_sets_a_changed_field_back_and_tells_it(reference):
    Telescope.objects.update(elevation_m=5600)
    ObservingProgram.objects.get(short_name="Cal").instruments.set([])
    assert steps(load_reference(mode=Mode.EDIT)) == [
        ("change", "Telescope", "ccat / Fred Young Submillimeter Telescope", "elevation_m", "5600.0", "5611.8"),
        ("change", "ObservingProgram", "Cal", "instruments", "none", "CHAI, Prime-Cam"),
    ]
    assert Telescope.objects.get().elevation_m == 5611.8
    assert load_reference(mode=Mode.EDIT).changes_nothing


def test_append_makes_what_is_missing_and_leaves_what_differs(reference):
    Telescope.objects.update(elevation_m=5600)
    ObsMode.objects.filter(name="focus").delete()
    result = load_reference()
    assert steps(result) == [("create", "ObsMode", "focus", "", "", "")]
    assert +result.differing == {"Telescope": 1}
    assert Telescope.objects.get().elevation_m == 5600


def test_append_gives_built_in_roles_what_they_lack_and_takes_nothing(reference):
    """A model that is new in a version brings permissions, and the roles must have them."""
    viewer, observer = Role.objects.get(name="viewer"), Role.objects.get(name="observer")
    extra = Permission.objects.get(codename="add_site")
    viewer.permissions.remove(Permission.objects.get(codename="view_site"))
    viewer.permissions.add(extra)
    observer.builtin = False
    observer.save()
    observer.permissions.clear()
    assert steps(load_reference()) == [("change", "Role", "viewer", "permissions", "none", "view_site")]
    assert extra in viewer.permissions.all()
    assert not observer.permissions.exists()


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.EDIT])
def test_what_no_file_gives_belongs_to_the_operators(reference, mode):
    Instrument.objects.update(available=False)
    ObsMode.objects.create(name="ours")
    assert load_reference(mode=mode).changes_nothing
    assert not Instrument.objects.filter(available=True).exists()
    assert ObsMode.objects.filter(name="ours").exists()


def test_prune_removes_what_no_file_has_and_keeps_what_is_referred_to(reference):
    ObsMode.objects.create(name="ours")
    program = ObservingProgram.objects.create(name="Ours", short_name="Ours", kind="science")
    ObsUnitFactory(observing_program=program, obs_mode=ObsMode.objects.get(name="otf"), sub_observing_program=None)
    own = SubObservingProgram.objects.create(observing_program=program, name="Sub", short_name="S")
    result = load_reference(mode=Mode.PRUNE)
    told = {(step.action, step.model, step.row) for step in result.steps}
    assert told >= {("remove", "ObsMode", "ours"), ("remove", "SubObservingProgram", "Ours / S")}
    assert ("deactivate", "ObservingProgram", "Ours") in told
    assert not ObsMode.objects.filter(name="ours").exists()
    assert not SubObservingProgram.objects.filter(pk=own.pk).exists()
    program.refresh_from_db()
    assert not program.active
    assert load_reference(mode=Mode.PRUNE).changes_nothing


def test_prune_is_refused_where_a_row_is_needed_and_cannot_be_taken_out_of_use(reference, write):
    user = UserFactory()
    user.groups.add(Role.objects.get(name="observer"))
    said = refused(write(own="# all\nObsMode: []\n\nRole:\n  - {name: viewer}\n"), mode=Mode.PRUNE)
    assert "own.yaml, line 4, Role: observer is in no file, but is referred to by user" in said
    assert str(user) in said


def test_prune_leaves_models_that_no_file_names(reference, write):
    assert load_reference(write(own="Role: [{name: viewer}]"), mode=Mode.PRUNE).count("remove") == 4
    assert Telescope.objects.exists()


def test_each_archive_mode_has_its_locations():
    load_reference(archive_mode=ArchiveMode.DEVELOPMENT)
    assert set(DataLocation.objects.values_list("storage_type", flat=True)) == {"disk"}
    assert not DiskDataLocation.objects.exclude(host="", path__startswith="/srv/ops-db/").exists()
    places = set(DataLocation.objects.values_list("site__short_name", "name", "location_type"))
    with pytest.raises(LoadError, match="cologne / archive exists already, as a DiskDataLocation"):
        load_reference(archive_mode=ArchiveMode.PRODUCTION)
    DataLocation.objects.all().delete()
    load_reference(archive_mode=ArchiveMode.PRODUCTION)
    assert set(DataLocation.objects.values_list("storage_type", flat=True)) == {"disk", "s3", "tape"}
    assert set(DataLocation.objects.values_list("site__short_name", "name", "location_type")) == places


def test_production_is_what_the_setting_says(settings):
    settings.OPSDB_PRODUCTION = True
    load_reference()
    assert S3DataLocation.objects.exists()


# By folder: what is wrong in each of them, as far as one mistake does not hide another.
WRONG = [
    [
        ("observatory.yaml", "latitude_deg", "latitud_deg", "Telescope[0].latitud_deg", "expected latitude_deg"),
        ("observatory.yaml", "5611.8\n", "high\n", "Telescope[0].elevation_m", "expected a finite number"),
        (
            "observatory.yaml",
            "    short_name: FYST",
            "    short_name: no",
            "Telescope[0].short_name",
            "expected a text",
        ),
        ("instruments.yaml", "    name: LFA\n", "", "InstrumentModule[0].name", "is missing"),
        (
            "instruments.yaml",
            "sideband: dsb",
            "sideband: both",
            "ChaiModuleConfiguration[0].sideband",
            "one of lsb,",
        ),
        ("instruments.yaml", "461.0407682", ".inf", "ChaiModuleConfiguration[0].line_frequency_ghz", "finite number"),
        (
            "locations-production.yaml",
            "retention_days: 30",
            "retention_days: 30.5",
            "DiskDataLocation[0].retention_days",
            "whole",
        ),
        ("modes.yaml", "needs_source: false", 'needs_source: "no"', "ObsMode[10].needs_source", "true or false"),
        ("roles.yaml", '["manage:*", ', '"manage:*" #', "Role[0].permissions", "expected a list"),
    ],
    [
        ("observatory.yaml", "Telescope:", "Telescop:", "'Telescop' is not a model", "expected Telescope"),
        (
            "instruments.yaml",
            "name: HFA",
            "name: LFA",
            "InstrumentModule[1]",
            "this repeats the row at instruments.yaml",
        ),
    ],
    [
        ("observatory.yaml", "    short_name: FYST\n", "", "Telescope[0].short_name", "is missing"),
    ],
    [
        ("observatory.yaml", "-22.985639", "-122.985639", "Telescope[0].latitude_deg", "between -90 and 90"),
    ],
    [
        ("observatory.yaml", "America/Santiago", "America/Santiago_", "Observatory[0].time_zone", "not an IANA"),
    ],
    [
        ("observatory.yaml", "observatory: ccat", "observatory: ccaat", "Telescope[0].observatory", "expected ccat?"),
    ],
    [
        ("instruments.yaml", "pixels: 64", "pixels: -1", "InstrumentModule[0].pixels", "must be above 0"),
        ("sites.yaml", "short_name: us", "short_name: US", "Site[2].short_name", "lower-case"),
    ],
    [
        (
            "locations-development.yaml",
            "path: /srv/ops-db/ccat/chai",
            "path: srv/chai",
            "DiskDataLocation[0].path",
            "absolute",
        ),
        ("routes.yaml", "destination_site: cologne", "destination_site: ccat", "DataTransferRoute[0]", "another site"),
        (
            "roles.yaml",
            '"write:programs"',
            '"wite:programs"',
            "Role[2].permissions",
            "'wite:programs' matches no permission",
        ),
    ],
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[0][3])
def test_a_wrong_row_is_named_with_file_line_and_path(spoil, folder, wrong):
    lines = [spoil(name, old, new) for name, old, new, _, _ in wrong]
    problems = refused(folder).split("\n")
    assert any(path in problems[0] for *_, path, _ in wrong), "a consequence is reported before a mistake"
    for line, (name, _, _, path, message) in zip(lines, wrong, strict=True):
        [said] = [problem for problem in problems if path in problem and message in problem]
        assert f"{name}, line " in said
        named = int(said.partition(", line ")[2].partition(",")[0].partition(":")[0])
        assert abs(named - line) <= 8


def test_all_files_are_checked_before_any_is_written(spoil, folder):
    spoil("observatory.yaml", "latitude_deg:", "latitude:")
    spoil("roles.yaml", "builtin:", "built_in:")
    assert [line.partition(".yaml")[0].rpartition("/")[2] for line in refused(folder).split("\n")] == [
        "observatory",
        "roles",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Site: [", "line 2: this is not YAML"),
        ("Site:\n\t- name: x", "line 2: this is not YAML"),
        ("", "this file is empty"),
        ("# nothing\n", "this file is empty"),
        ("- name: x", "this is not a mapping"),
        ("Site: x", "Site: this is not a list"),
        ("Site: [x]", "Site[0]: this is not a row"),
        ("1: []", "'1' is not a name"),
        ("User: []", "'User' is not a model of reference data"),
        ("Site:\n  - name: x\n    name: y\n    short_name: x", "line 3, Site[0]: name is repeated"),
        ("Site:\n  - {name: x, short_name: x}\nSite: []", "line 3: Site is repeated"),
        ("Site:\n  - {name: x, short_name: x, id: 7}", "Site[0].id: 'id' is not a field of Site"),
        ("Site:\n  - {name: x, short_name: [x]}", "is not a valid value of this field; expected a text"),
        ("Site: !!python/object/apply:os.system ['true']", "this is not YAML"),
        ("Site: " + "[" * 5000, "nested too deeply"),
        (
            "Telescope:\n  - {observatory: [a, b], name: x}",
            "does not identify a row; expected the short_name of",
        ),
        (
            "Telescope:\n  - {observatory: {a: b}, name: x}",
            "does not identify a row; expected the short_name of",
        ),
    ],
)
def test_a_file_that_is_no_reference_data_gets_a_line(write, text, message):
    assert message in refused(write(own=text))


def test_the_index_and_the_folder_name_the_same_files(folder):
    (folder / "more.yaml").write_text("Site: []")
    assert "more.yaml is not in the index" in refused(folder)
    (folder / "more.yaml").unlink()
    (folder / "modes.yaml").unlink()
    assert "index.yaml, line 8, files[3]: file 'modes.yaml' is not beside the index" in refused(folder)
    (folder / "index.yaml").write_text("files: [../observatory.yaml]")
    assert "file '../observatory.yaml' is not beside the index" in refused(folder)
    (folder / "index.yaml").write_text("file: []")
    assert "files is missing" not in refused(folder)
    assert "'file' is not a field of the index; expected files?" in refused(folder)
    (folder / "index.yaml").unlink()
    assert "the file does not exist" in refused(folder)


def test_a_location_cannot_become_another_kind_of_storage(reference, write):
    rows = "S3DataLocation:\n  - {site: ccat, name: chai, location_type: source, bucket: x}"
    assert "S3DataLocation[0]" in refused(write(own=rows))
    assert not S3DataLocation.objects.filter(name="chai").exists()
    assert DiskDataLocation.objects.filter(name="chai").exists()


def test_what_only_the_database_refuses_is_named_with_its_path(reference, write):
    rows = "DiskDataLocation:\n  - {site: ccat, name: chai, location_type: buffer, path: /data/chai, instrument: null}"
    said = refused(write(own=rows), mode=Mode.EDIT)
    assert "own.yaml, line 2, DiskDataLocation[0]: the database reports: " in said
    assert "location_type" in said


def test_reading_needs_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert sum(len(file.entries) for file in read_reference(REFERENCE_DIRECTORY)) > 60


@pytest.mark.django_db(transaction=True)
def test_two_at_once_end_in_one_clean_state():
    results = race(2, lambda number: load_reference())
    assert sorted(result.changes_nothing for result in results) == [False, True]
    assert Site.objects.count() == 3
