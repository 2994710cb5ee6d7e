"""Places that operators renamed are still those of the reference files, and no second one appears beside them."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from opsdb.loaders import LoadError
from opsdb.loaders.reference import load_reference
from opsdb.loaders.reference.topics import Mode
from opsdb.models import DataLocation, DiskDataLocation, Site
from opsdb.models.renaming import former_names_of
from opsdb.row_labels import place_of
from opsdb.testing.factories import DataTransferFactory, DiskDataLocationFactory, SiteFactory
from opsdb.workflows import explain_row, list_queues
from tests.models.schema import MODELS

pytestmark = pytest.mark.django_db


def rename(row, **name):
    type(row).objects.filter(pk=row.pk).update(**name)


def test_a_renamed_location_and_site_stay_what_they_are_in_every_mode(capsys):
    load_reference()
    before = set(DataLocation.objects.values_list("pk", flat=True)), set(Site.objects.values_list("pk", flat=True))
    location = DataLocation.objects.get(site__short_name="cologne", name="buffer")
    rename(location, name="buffer_old")
    rename(location.site, short_name="koeln")
    DiskDataLocation.objects.filter(pk=location.pk).update(retention_days=99)
    for mode in (Mode.APPEND, Mode.EDIT, Mode.PRUNE):
        found = load_reference(mode=mode)
        assert ("DiskDataLocation", "cologne / buffer", "koeln / buffer_old") in found.renamed
        assert ("Site", "cologne", "koeln") in found.renamed
    after = set(DataLocation.objects.values_list("pk", flat=True)), set(Site.objects.values_list("pk", flat=True))
    assert after == before
    location.refresh_from_db()
    assert (location.name, location.former_names, location.retention_days) == ("buffer_old", ["buffer"], 7)
    call_command("opsdb_init", "--mode", "append")
    printed = capsys.readouterr().out
    assert "Renamed since" in printed and "is called koeln / buffer_old, and keeps that name" in printed


def test_what_stands_on_the_mountain_and_is_planned_may_be_renamed():
    """Each row of the reference files that has a name gets another, as do all that its natural key names."""
    load_reference()
    models = [model for model in MODELS if former_names_of(model) and not model._meta.parents]
    models = [model for model in models if model not in (Site, DataLocation)]
    assert len(models) >= 9
    before = {model: set(model.objects.values_list("pk", flat=True)) for model in models}
    for model in models:
        column = former_names_of(model)
        assert before[model], model
        for row in model.objects.all():
            rename(row, **{column: f"x{getattr(row, column)}"})
    for mode in (Mode.APPEND, Mode.EDIT, Mode.PRUNE):
        found = load_reference(mode=mode)
        renamed = {name for name, _, _ in found.renamed}
        assert {"Observatory", "Telescope", "Instrument", "InstrumentModule", "ChaiModuleConfiguration"} <= renamed
        assert {"ObsMode", "ObservingProgram", "SubObservingProgram", "DataTransferRoute"} <= renamed
        assert {model: set(model.objects.values_list("pk", flat=True)) for model in models} == before
    for model in models:
        for row in model.objects.all():
            assert row.former_names == [getattr(row, former_names_of(model))[1:]], model


def test_a_name_that_several_rows_had_is_refused_with_their_names_and_an_exact_one_is_not():
    """Of a row itself (the buffer), and of one that others refer to (the site)."""
    load_reference()
    location = DataLocation.objects.get(site__short_name="cologne", name="buffer")
    other = DataLocation.objects.filter(site=location.site).exclude(pk=location.pk)[0]
    rename(location, name="buffer_one")
    rename(other, name="buffer")
    load_reference()  # the second one has this name now
    before = list(DataLocation.objects.order_by("pk").values_list("pk", "name"))
    rename(other, name="buffer_two")
    with pytest.raises(LoadError) as refused:
        load_reference()
    (problem,) = [one for one in refused.value.problems if "several rows" in one.message]
    assert "'cologne / buffer' is a former name of several rows: cologne / buffer_" in problem.message
    assert "buffer_one" in problem.message and "buffer_two" in problem.message
    assert "the present name of the disk data location" in problem.expected
    assert problem.line and problem.path.suffix == ".yaml"
    rename(other, name="buffer")
    assert list(DataLocation.objects.order_by("pk").values_list("pk", "name")) == before

    sites = list(Site.objects.exclude(short_name="cologne").order_by("pk")[:1])
    rename(Site.objects.get(short_name="cologne"), short_name="koeln")
    rename(sites[0], short_name="cologne")
    rename(sites[0], short_name="elsewhere")
    with pytest.raises(LoadError, match="'cologne' is a former name of several rows") as refused:
        load_reference()
    assert "koeln" in str(refused.value) and "elsewhere" in str(refused.value)


def test_former_names_follow_every_rename_by_update_and_plain_sql():
    location = DiskDataLocationFactory(name="first")
    for name in ("second", "third", "first"):
        rename(location, name=name)
    location.refresh_from_db()
    assert location.former_names == ["second", "third"]


def test_former_names_survive_what_was_read_before_the_rename():
    site = SiteFactory(short_name="before")
    site.short_name = "after"
    site.save()
    site.description = "as it was read"
    site.save()
    assert Site.objects.get(pk=site.pk).former_names == ["before"]


def test_the_queue_of_a_renamed_location_has_its_new_name():
    transfer = DataTransferFactory()
    rename(transfer.origin_location, name="store")
    transfer = type(transfer).objects.get(pk=transfer.pk)
    queue = f"{transfer.origin_location.site.short_name}_store_data_transfer"
    assert explain_row(transfer).who == f"worker at queue {queue}"
    assert queue in {one.name for one in list_queues()}


def test_two_locations_of_a_site_are_not_the_same_folder():
    first = DiskDataLocationFactory(host="disk1", path="/data/a")
    for host, path in (("disk1", "/data/a"), ("DISK1", "/data/a/")):
        with (
            pytest.raises(IntegrityError, match=rf"has the same host and folder as .* \({place_of(first)}\): "),
            transaction.atomic(),
        ):
            DiskDataLocationFactory(site=first.site, host=host, path=path)
    other = DiskDataLocationFactory(site=first.site, host="disk2", path="/data/a")
    DiskDataLocationFactory(site=SiteFactory(), host="disk1", path="/data/a")
    with pytest.raises(IntegrityError, match="has the same host and folder as data_location"), transaction.atomic():
        DiskDataLocation.objects.filter(pk=other.pk).update(host="disk1")


def test_a_location_that_a_file_names_by_both_names_of_its_site_is_one(tmp_path):
    SiteFactory(short_name="koeln", former_names=["cologne"])
    row = "  - {{site: {site}, name: buffer, location_type: buffer, path: /srv/buffer, retention_days: 7}}\n"
    rows = "".join(row.format(site=site) for site in ("cologne", "koeln"))
    (tmp_path / "index.yaml").write_text("files: [locations.yaml]\n")
    (tmp_path / "locations.yaml").write_text(f"DiskDataLocation:\n{rows}")
    found = load_reference(tmp_path)
    assert (found.count("create"), found.left["DiskDataLocation"]) == (1, 1)
    assert load_reference(tmp_path).changes_nothing
