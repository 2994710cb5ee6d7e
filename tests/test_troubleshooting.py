"""Every command that the troubleshooting page names is run, in the state that its entry describes."""

import re
from datetime import timedelta
from shlex import split

import pytest
from django.core.management import call_command
from django.utils import timezone

import opsdb.workflows
from opsdb.loaders.reference import load_reference
from opsdb.models import DataLocation, DataTransfer, PhysicalCopy, RunStatus
from opsdb.testing.factories import DataReleaseFactory, PipelineFactory
from opsdb.testing.nights import FILE_BYTES, WORKER, WRONG, build_world
from opsdb.workflows import (
    CompletionConflict,
    complete_transfer,
    fail_fixity,
    plan_runs,
    record_fixity,
)
from tests.commands import ROOT
from tests.workflows.reducing import available, completed, make_step
from tests.workflows.scenario_deletion import RIGHT

pytestmark = pytest.mark.django_db

PAGE = ROOT / "docs" / "troubleshooting.md"
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ENTRIES = {
    title: BLOCK.findall(text)
    for title, text in re.findall(r"^#+ (.+?)\n(.*?)(?=^#+ |\Z)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
}
PYTHON = {name: getattr(opsdb.workflows, name) for name in opsdb.workflows.__all__}


def lost_product(world, tmp_path):
    pipeline = PipelineFactory()
    available(pipeline)
    [run] = plan_runs(make_step(pipeline))
    [product] = completed(run, "map.fits")
    DataReleaseFactory().products.add(product)
    record_fixity(product.copies.get(), WRONG)
    return {"product": product}, lambda: product.run.step.runs.filter(status=RunStatus.PENDING).exists()


def archived(world, tmp_path):
    DataLocation.objects.update(fixity_interval_days=30)
    copy = world.copy(world.archived_package(), world.us_archive)
    return {"copy": copy}, lambda: PhysicalCopy.objects.get(pk=copy.pk).status == "present"


def corrupt_in_an_archive(world, tmp_path):
    copy = world.copy(world.archived_package(), world.us_archive)
    record_fixity(copy, WRONG)
    return {"copy": copy}, lambda: copy.raw_data_package.archive_transfers.filter(status="pending").exists()


def lost_in_an_archive(world, tmp_path):
    package = world.archived_package()
    fail_fixity(world.copy(package, world.us_archive), message="EIO", absent=True)
    return {"package": package}, lambda: package.archive_transfers.filter(status="pending").exists()


def write_list(world, tmp_path, path="a.fits"):
    values = {
        "executed_obs_unit": world.observe().pk,
        "instrument_module": world.module.pk,
        "source_location": world.source.pk,
        "relative_path": path,
        "size_bytes": FILE_BYTES,
        "checksum": RIGHT,
    }
    file = tmp_path / "list.csv"
    file.write_text(",".join(values) + "\n" + ",".join(map(str, values.values())) + "\n")
    return file


def deleted_file(world, tmp_path):
    file = write_list(world, tmp_path)
    call_command("opsdb_register", str(file))
    fail_fixity(PhysicalCopy.objects.get(), message="gone", absent=True)
    return {"list": file}, lambda: PhysicalCopy.objects.get().status == "present"


def refused_list(world, tmp_path):
    file = write_list(world, tmp_path, "x" * 900)
    return {"list": file}, lambda: PhysicalCopy.objects.exists()


def other_folder(world, tmp_path):
    return {"location": world.source}, lambda: True


def wrong_clock(world, tmp_path):
    start = timezone.now() - timedelta(days=1)
    observation = world.observe()
    given = {"observation": observation, "start": start, "end": start + timedelta(minutes=5)}
    return given, lambda: observation.start_time == start


def full_place(world, tmp_path):
    bundle = world.made_bundle()
    DataLocation.objects.filter(location_type="buffer").update(capacity_bytes=1)
    return {"bundle": bundle, "buffer": DataLocation.objects.get(pk=world.us_buffer.pk)}, lambda: True


def conflict(world, tmp_path):
    given, _ = archived(world, tmp_path)
    transfer = DataTransfer.objects.filter(status="completed").first()
    with pytest.raises(CompletionConflict):
        complete_transfer(transfer, worker=WORKER, checksum=WRONG)
    return given | {"transfer": transfer}, lambda: DataTransfer.objects.get(pk=transfer.pk).failure_message == ""


def overfull_place(world, tmp_path):
    world.made_packages()
    DataLocation.objects.filter(pk=world.ccat_buffer.pk).update(capacity_bytes=1)
    found = opsdb.workflows.validate_topology
    return {}, lambda: any("more than its capacity of 1" in one.problem for one in found())


def renamed_place(world, tmp_path):
    load_reference()
    location = DataLocation.objects.get(site__short_name="cologne", name="buffer")
    DataLocation.objects.filter(pk=location.pk).update(name="store")
    return {}, lambda: not DataLocation.objects.filter(site__short_name="cologne", name="buffer").exists()


STATES = {
    "Troubleshooting": archived,
    "A product of a release can't be read any more": lost_product,
    "A copy can't be read when it is checked": archived,
    "A copy is missing": archived,
    "A copy is corrupt": corrupt_in_an_archive,
    "An archive has lost a copy that another archive has": lost_in_an_archive,
    "A deleted file is listed again": deleted_file,
    "A listing of a storage does not match the records": other_folder,
    "A list of files is refused": refused_list,
    "An observation has the wrong time": wrong_clock,
    "A location is full": full_place,
    "A location holds more than its capacity": overfull_place,
    "A worker reports work that was completed": conflict,
    "A location or site was renamed": renamed_place,
}


def test_every_entry_has_a_state_and_a_command():
    assert list(ENTRIES) == list(STATES)
    assert all(ENTRIES.values())


@pytest.mark.parametrize("title", STATES)
def test_what_the_page_names_can_be_done(title, tmp_path, capsys, monkeypatch):
    # The tests' database lacks some rules on purpose.
    monkeypatch.setattr(opsdb.workflows, "validate_rules", list)
    make = STATES[title]
    given, holds_afterwards = make(None if make is renamed_place else build_world(), tmp_path)
    keys = {name.upper(): str(getattr(value, "pk", value)) for name, value in given.items()}
    for kind, text in ENTRIES[title]:
        if kind == "python":
            exec(text, {**PYTHON, **given})  # noqa: S102 - our own page
            continue
        for line in text.splitlines():
            program, command, *arguments = split(line)
            assert program == "manage.py"
            call_command(command, *(re.sub(r"\b[A-Z]{3,}\b", lambda word: keys[word[0]], one) for one in arguments))
            assert capsys.readouterr().out
    assert holds_afterwards()
