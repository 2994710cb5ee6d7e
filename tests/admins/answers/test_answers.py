"""Where, why, night, observation, sky and data flow give the right answers."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb import workflows
from opsdb.admins.kit.names import called
from opsdb.admins.pages.observation import data
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    DataTransferRoute,
    ExecutedObsUnit,
    FixedSource,
    ObsUnit,
    PhysicalCopy,
    PreScheduledSlot,
    RawDataFile,
    RawDataPackage,
    Site,
    StagingJob,
)
from opsdb.testing import factories
from opsdb.workflows import explain_row
from opsdb.workflows.explain._who import PERMISSIONS
from tests.admins.acting import ACTIONS
from tests.admins.conftest import logged_in

from .pages import page, read

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


class TestWhere:
    @pytest.mark.parametrize("text", ["{pk}", "raw_data_package {pk}", "Raw data package {pk}", "{name}", " {name} "])
    def test_a_package_is_found_by_key_and_name(self, text, browser):
        copy = factories.RawDataPackagePhysicalCopyFactory()
        package = copy.raw_data_package
        found = read(browser.get(page("where", q=text.format(pk=package.pk, name=package.name))))
        assert f"/admin/opsdb/physicalcopy/{copy.pk}/change/" in found.links
        assert f"{copy.data_location.site}/{copy.data_location}" in found.text

    def test_copies_are_counted_of_the_row_itself_and_of_what_it_consists_of(self, browser):
        package = factories.RawDataPackageFactory()
        file = factories.RawDataFileFactory(
            raw_data_package=package,
            executed_obs_unit=package.executed_obs_unit,
            instrument_module=package.instrument_module,
        )
        factories.RawDataPackagePhysicalCopyFactory.create_batch(2, raw_data_package=package)
        factories.RawDataFilePhysicalCopyFactory(raw_data_file=file)
        shown = read(browser.get(page("where", q=package.pk))).text
        assert "2 of the package itself; also 1 of raw data files" in shown
        assert "2 of the package that can be read, 0 verified in archives" in shown
        assert "1 of the raw data file itself; also 2 of packages" in read(browser.get(page("where", q=file.pk))).text

    def test_what_is_nowhere_is_said_to_be_nowhere(self, browser):
        package = factories.RawDataPackageFactory()
        assert "No copy of it is known." in read(browser.get(page("where", q=package.pk))).text

    def test_what_is_unknown_is_not_found(self, browser):
        response = browser.get(page("where", q="nothing.tar"))
        assert response.status_code == 404 and "There is no such row" in response.content.decode()

    def test_what_a_person_may_not_view_is_as_good_as_not_there(self, seeing):
        copy = factories.RawDataPackagePhysicalCopyFactory()
        browser = seeing(PhysicalCopy, RawDataFile)
        missing = browser.get(page("where", q="nothing.tar"))
        hidden = browser.get(page("where", q=copy.raw_data_package.name))
        assert missing.status_code == hidden.status_code == 404
        assert str(copy.raw_data_package_id) not in hidden.content.decode()

    def test_copies_of_what_holds_it_are_shown_only_to_who_may_view_that(self, seeing):
        bundle = factories.DataTransferPackageFactory()
        package = factories.RawDataPackageFactory(archived=True, data_transfer_package=bundle)
        factories.DataTransferPackagePhysicalCopyFactory(data_transfer_package=bundle)
        query = page("where", q=package.pk)
        assert bundle.name not in read(seeing(PhysicalCopy, RawDataPackage).get(query)).text
        assert bundle.name in read(seeing(PhysicalCopy, RawDataPackage, DataTransferPackage).get(query)).text

    def test_several_of_one_name_are_offered(self, browser):
        one, two = factories.DataProductFactory(name="map.fits"), factories.DataProductFactory(name="map.fits")
        found = read(browser.get(page("where", q="map.fits")))
        assert {f"?q=data_product+{one.pk}", f"?q=data_product+{two.pk}"} <= set(found.links)

    def test_a_source_leads_to_all_of_its_data_beside_its_observations(self, browser, seeing):
        unit = factories.ObsUnitFactory(source=factories.FixedSourceFactory(name="Deep56").source_ptr)
        executions = factories.ExecutedObsUnitFactory.create_batch(2, obs_unit=unit)
        query = page("where", q="Deep56")
        found = read(browser.get(query))
        assert "all of it, and where its data are" in found.text and page("source", unit.source_id) in found.links
        assert {f"?q=executed_obs_unit+{one.pk}" for one in executions} <= set(found.links)
        hidden = seeing(PhysicalCopy, ExecutedObsUnit).get(query)
        assert hidden.status_code == 404 and page("source", unit.source_id) not in hidden.content.decode()


class TestWhy:
    def test_a_failed_transfer_is_explained_with_what_comes_next(self, browser):
        transfer = factories.DataTransferFactory(failed=True, failure_message="connection reset")
        found = read(browser.get(page("why", q=f"data_transfer {transfer.pk}")))
        assert "connection reset" in found.text and "operator" in found.text
        assert f"/admin/opsdb/datatransfer/{transfer.pk}/change/" in found.links

    @pytest.mark.parametrize(
        "factory",
        [
            factories.RawDataPackageFactory,
            factories.DataTransferPackageFactory,
            factories.DataTransferFactory,
            factories.LongTermArchiveTransferFactory,
            factories.StagingJobFactory,
            factories.RawDataFilePhysicalCopyFactory,
            factories.ExecutedReductionStepFactory,
            factories.ReductionStepFactory,
            factories.ExecutedObsUnitFactory,
            factories.RawDataFileFactory,
            factories.DataProductFactory,
        ],
    )
    def test_the_form_of_whatever_can_be_stuck_says_why(self, factory, viewer):
        row = factory()
        url = f"/admin/opsdb/{row._meta.model_name}/{row.pk}/change/"
        found = read(viewer.get(url))
        assert "Why is it where it is?" in found.text
        assert "opsdb-reasons" in found.classes() or "(not shown)" in found.text

    def test_a_form_keeps_from_a_person_what_they_may_not_view(self, seeing):
        package = factories.RawDataPackageFactory()
        job = factories.StagingJobFactory(raw_data_packages=[package])
        url = f"/admin/opsdb/stagingjob/{job.pk}/change/"
        text = read(seeing(StagingJob).get(url)).text
        assert str(package.pk) not in text and "(not shown)" in text
        assert f"package {package.name}" in read(seeing(StagingJob, RawDataPackage).get(url)).text
        assert f"package {package.name}" not in text

    def test_rows_are_called_as_people_call_them(self, browser):
        package = factories.RawDataPackageFactory()
        name, execution = f"package {called(package)}", package.executed_obs_unit
        for url in (
            page("why", q=f"raw_data_package {package.pk}"),
            page("observation", execution.pk),
            f"/admin/opsdb/rawdatapackage/{package.pk}/change/",
        ):
            found = read(browser.get(url))
            assert f"{name}: " in found.text and f"package {package.pk}" not in found.text, url
        unit = execution.obs_unit
        shown = f"observation {unit.observing_program} / {unit} · {execution.start_time:%Y-%m-%d %H:%M}"
        assert f"{shown}: " in read(browser.get(page("observation", execution.pk))).text

    def test_explaining_many_inputs_takes_no_more_queries_than_few(self, db):
        from opsdb.workflows import explain_row

        def queries_for(number):
            packages = factories.RawDataPackageFactory.create_batch(number)
            job = factories.StagingJobFactory(raw_data_packages=packages)
            with CaptureQueriesContext(connection) as queries:
                explain_row(job)
            return len(queries)

        assert queries_for(20) <= queries_for(1) <= 12

    def test_a_new_row_has_nothing_to_explain(self, browser):
        assert "Why is it" not in read(browser.get("/admin/opsdb/stagingjob/add/")).text


class TestNight:
    def test_slots_executions_and_downtimes_are_in_their_lanes(self, browser):
        module = factories.InstrumentModuleFactory()
        instrument, telescope = module.instrument, module.instrument.telescope
        slot = factories.PreScheduledSlotFactory(
            telescope=telescope, start_time=NOON + timedelta(hours=10), end_time=NOON + timedelta(hours=11)
        )
        done = factories.ExecutedObsUnitFactory(failed=True, start_time=NOON + timedelta(hours=10))
        done.module_configurations.add(factories.PrimeCamModuleConfigurationFactory(instrument_module=module))
        down = factories.DowntimeFactory(
            instrument=instrument, telescope=None, start_time=NOON + timedelta(hours=12), end_time=None, reason="warm"
        )
        unknown = factories.ExecutedObsUnitFactory(completed=True, start_time=NOON + timedelta(hours=13))
        found = read(browser.get(page("night", "2026-06-15")))
        for link in (
            page("observation", done.pk),
            page("observation", unknown.pk),
            f"/admin/opsdb/prescheduledslot/{slot.pk}/change/",
            f"/admin/opsdb/downtime/{down.pk}/change/",
        ):
            assert found.links.count(link) == 2, link  # in the picture and in the table
        assert {"opsdb-bar-planned", "opsdb-bar-failed", "opsdb-bar-down", "opsdb-shade-dark"} <= found.classes()
        for lane in (instrument.name, f"{instrument.name} down", "instrument unknown"):
            assert lane in found.text

    def test_a_downtime_of_one_module_names_it_beside_its_instrument(self, browser):
        chai = factories.InstrumentFactory(name="CHAI")
        hfa, lfa = (factories.InstrumentModuleFactory(instrument=chai, name=name) for name in ("HFA", "LFA"))
        times = {"telescope": None, "start_time": NOON + timedelta(hours=12), "end_time": NOON + timedelta(hours=13)}
        factories.DowntimeFactory(instrument_module=hfa, **times)
        text = read(browser.get(page("night", "2026-06-15"))).text
        assert "CHAI HFA down" in text and "CHAI LFA down" not in text and "CHAI down" not in text
        factories.DowntimeFactory(instrument=lfa.instrument, **times)
        text = read(browser.get(page("night", "2026-06-15"))).text
        assert "CHAI HFA down" in text and "CHAI down" in text

    def test_it_leads_to_the_nights_around_it_and_the_nearest_observed(self, browser):
        for days in (-9, 0, 5):
            factories.ExecutedObsUnitFactory(completed=True, start_time=NOON + timedelta(days=days, hours=3))
        found = read(browser.get(page("night", "2026-06-15")))
        for night in ("2026-06-06", "2026-06-14", "2026-06-16", "2026-06-20"):
            assert page("night", night) in found.links

    def test_without_a_date_it_is_the_newest(self, browser):
        factories.ExecutedObsUnitFactory(completed=True, start_time=NOON - timedelta(minutes=1))
        assert browser.get(page("night")).url == page("night", "2026-06-14")

    @pytest.mark.parametrize(
        ("hour", "night"), [(0.5, "2026-06-12"), (6, "2026-06-12"), (9, "2026-06-12"), (11, "2026-06-15")]
    )
    def test_what_was_observed_in_the_daytime_does_not_hide_the_last_night(self, browser, monkeypatch, hour, night):
        factories.TelescopeFactory()
        factories.ExecutedObsUnitFactory(completed=True, start_time=NOON - timedelta(days=2, hours=10))
        factories.ExecutedObsUnitFactory(completed=True, start_time=NOON + timedelta(minutes=10))
        clock = SimpleNamespace(now=lambda: NOON + timedelta(hours=hour))
        monkeypatch.setattr("opsdb.admins.pages.night.timezone", clock)
        assert browser.get(page("night")).url == page("night", night)
        found = read(browser.get(page("night", "2026-06-12")))
        assert "tonight: 2026-06-15" in found.text and page("night", "2026-06-15") in found.links

    def test_the_daytime_of_the_first_day_is_shown_where_there_is_no_night_before(self, browser, monkeypatch):
        factories.TelescopeFactory()
        factories.ExecutedObsUnitFactory(completed=True, start_time=NOON + timedelta(minutes=10))
        clock = SimpleNamespace(now=lambda: NOON + timedelta(hours=1))
        monkeypatch.setattr("opsdb.admins.pages.night.timezone", clock)
        assert browser.get(page("night")).url == page("night", "2026-06-15")

    def test_the_first_packages_that_failed_are_named_with_their_why(self, browser, monkeypatch):
        monkeypatch.setattr("opsdb.admins.pages.night_failures.SHOWN", 2)
        execution = factories.ExecutedObsUnitFactory(completed=True, start_time=NOON + timedelta(hours=3))
        packages = factories.RawDataPackageFactory.create_batch(3, executed_obs_unit=execution, failed=True)
        RawDataPackage.objects.update(state="failed")
        RawDataPackage.objects.filter(pk=packages[0].pk).update(failure_message="no space left on device")
        factories.RawDataPackageFactory(executed_obs_unit=execution)
        found = read(browser.get(page("night", "2026-06-15")))
        for text in ("3 packages failed on their way", "2 of 3 are shown.", "no space left on device"):
            assert text in found.text, text
        for package in packages[:2]:
            assert f"/admin/opsdb/rawdatapackage/{package.pk}/change/" in found.links
            assert page("why", q=f"raw_data_package {package.pk}") in found.links
        assert "/admin/opsdb/rawdatapackage/?state__exact=failed" in found.links

    def test_a_date_can_be_asked_for(self, browser):
        assert browser.get(page("night", date="2026-06-01")).url == page("night", "2026-06-01")

    def test_who_sees_no_schedule_gets_none(self, seeing):
        slot = factories.PreScheduledSlotFactory(start_time=NOON, end_time=NOON + timedelta(hours=1))
        url = page("night", "2026-06-15")
        found = read(seeing(ExecutedObsUnit).get(url))
        assert "planned [UTC]" not in found.text and slot.obs_unit.name not in found.text
        told = read(seeing(ExecutedObsUnit, PreScheduledSlot).get(url))
        assert "planned [UTC]" in told.text and slot.obs_unit.name not in told.text
        assert slot.obs_unit.name in read(seeing(ExecutedObsUnit, PreScheduledSlot, ObsUnit).get(url)).text


class TestObservation:
    def test_it_is_told_from_the_plan_to_the_papers(self, browser):
        package = factories.RawDataPackageFactory(bundled=True)
        execution = package.executed_obs_unit
        transfer = factories.DataTransferFactory(data_transfer_package=package.data_transfer_package)
        run = factories.ExecutedReductionStepFactory()
        run.input_packages.add(package)
        product = factories.DataProductFactory(run=run)
        publication = factories.PublicationFactory()
        publication.products.add(product)
        file = factories.RawDataFileFactory(executed_obs_unit=execution)
        found = read(browser.get(page("observation", execution.pk)))
        assert page("unit", execution.obs_unit_id) in found.links
        for row in (file, package, package.data_transfer_package, transfer, product, publication):
            assert f"/admin/opsdb/{row._meta.model_name}/{row.pk}/change/" in found.links, row

    def test_no_list_on_it_is_longer_than_it_says(self, browser):
        execution = factories.ExecutedObsUnitFactory(completed=True)
        module = factories.InstrumentModuleFactory()
        source = factories.DiskDataLocationFactory(source=True, instrument=module.instrument)
        shared = {"executed_obs_unit": execution, "instrument_module": module}
        factories.RawDataFileFactory.create_batch(9, source_location=source, **shared)
        for part in range(1, 61):
            factories.RawDataPackageFactory(part=part, **shared)
        found = read(browser.get(page("observation", execution.pk)))
        assert len({link for link in found.links if "/rawdatafile/" in link and link.endswith("/change/")}) == 5
        assert len({link for link in found.links if "/rawdatapackage/" in link and link.endswith("/change/")}) <= 51
        everything = f"/admin/opsdb/rawdatapackage/?executed_obs_unit__id__exact={execution.pk}"
        assert everything in found.links
        assert browser.get(everything).context["cl"].result_count == 60

    @pytest.mark.parametrize("limit", [9, 8])
    def test_files_are_counted_by_module_up_to_a_limit(self, limit, browser, monkeypatch):
        monkeypatch.setattr(data, "FILES_COUNTED", limit)
        execution = factories.ExecutedObsUnitFactory()
        files = factories.RawDataFileFactory.create_batch(2, executed_obs_unit=execution)
        files += factories.RawDataFileFactory.create_batch(
            7,
            executed_obs_unit=execution,
            instrument_module=files[0].instrument_module,
            source_location=files[0].source_location,
        )
        answer = browser.get(page("observation", execution.pk)).content.decode()
        number = "8" if limit == 9 else "at least 8"
        assert f'instrument_module__id__exact={files[0].instrument_module_id}">{number}</a>' in answer
        assert ("Only the first 8 are counted." in answer) == (limit == 8)

    def test_what_a_person_may_not_view_is_left_out(self, seeing):
        transfer = factories.DataTransferFactory()
        package = factories.RawDataPackageFactory(data_transfer_package=None)
        assert isinstance(transfer, DataTransfer)
        found = read(seeing(ExecutedObsUnit).get(page("observation", package.executed_obs_unit_id)))
        for title in ("Plan", "Packages", "Transfers", "Copies", "Products", "Raw data files"):
            assert title not in found.text, title
        assert package.name not in found.text


class TestSky:
    def test_sources_are_links_on_the_map_with_the_sign_of_their_program(self, browser):
        unit = factories.ObsUnitFactory(source=factories.FixedSourceFactory(ra_deg=83.8, dec_deg=-5.4).source_ptr)
        found = read(browser.get(page("sky")))
        assert f"/admin/opsdb/fixedsource/{unit.source_id}/change/" in found.links
        assert "opsdb-mark-0" in found.classes()
        assert page("sky", program=unit.observing_program.short_name) in found.links

    def test_one_program_is_shown_alone(self, browser):
        one, two = (factories.ObsUnitFactory(source=factories.FixedSourceFactory().source_ptr) for _ in range(2))
        found = read(browser.get(page("sky", program=one.observing_program.short_name)))
        assert f"/admin/opsdb/fixedsource/{one.source_id}/change/" in found.links
        assert f"/admin/opsdb/fixedsource/{two.source_id}/change/" not in found.links

    def test_thousands_of_sources_are_drawn_together(self, browser, monkeypatch):
        from opsdb.admins.pages import sky

        monkeypatch.setattr(sky, "DRAWN_SINGLY", 5)
        for number in range(6):
            factories.FixedSourceFactory(ra_deg=10 + number / 100, dec_deg=-30)
        far = factories.FixedSourceFactory(ra_deg=200, dec_deg=50)
        html = browser.get(page("sky")).content.decode()
        drawing = html[html.index("<svg") : html.index("<figcaption")]
        assert "6 sources about" in drawing and f"/fixedsource/{far.pk}/" in drawing
        assert drawing.count("opsdb-mark ") == 2
        (cluster,) = {link for link in read(browser.get(page("sky"))).links if "ra_deg__gte" in link}
        assert browser.get(cluster).context["cl"].result_count == 6

    def test_those_of_one_program_that_are_drawn_together_are_listed_together(self, browser, monkeypatch):
        from opsdb.admins.pages import sky

        monkeypatch.setattr(sky, "DRAWN_SINGLY", 2)
        programs = factories.ObservingProgramFactory.create_batch(2)
        for number in range(7):
            source = factories.FixedSourceFactory(ra_deg=10 + number / 100, dec_deg=-30).source_ptr
            # Two units each, so that a source is found by two rows.
            factories.ObsUnitFactory.create_batch(2, source=source, observing_program=programs[number % 2])
        found = read(browser.get(page("sky", program=programs[0].short_name)))
        (cluster,) = {link for link in found.links if "ra_deg__gte" in link}
        assert "4 sources about" in browser.get(page("sky", program=programs[0].short_name)).content.decode()
        listed = browser.get(cluster).context["cl"]
        assert listed.result_count == len(listed.result_list) == 4
        assert all(one.obs_units.first().observing_program == programs[0] for one in listed.result_list)

    def test_programs_are_not_told_to_who_may_not_view_them(self, seeing):
        unit = factories.ObsUnitFactory(source=factories.FixedSourceFactory().source_ptr)
        found = read(seeing(FixedSource).get(page("sky")))
        assert unit.observing_program.short_name not in found.text
        assert unit.source.name in found.text


class TestDataFlow:
    def test_what_moves_and_what_failed_stands_at_its_way(self, browser):
        origin, end = factories.DiskDataLocationFactory(), factories.DiskDataLocationFactory()
        factories.DataTransferRouteFactory(origin_site=origin.site, destination_site=end.site)
        ends = {"data_transfer_package__origin_location": origin, "destination_location": end}
        factories.DataTransferFactory.create_batch(2, **ends)
        factories.DataTransferFactory(failed=True, **ends)
        found = read(browser.get(page("dataflow")))
        assert "opsdb-way-failed" in found.classes()
        told = next(a["aria-label"] for tag, a in found.tags if tag == "a" and " to " in a.get("aria-label", ""))
        assert told.startswith(f"{origin.site} to {end.site}") and "2 open" in told and "1 failed" in told

    def test_sites_are_named_to_who_may_view_them(self, browser, seeing):
        origin, end = factories.DiskDataLocationFactory(), factories.DiskDataLocationFactory()
        factories.DataTransferRouteFactory(origin_site=origin.site, destination_site=end.site)
        ends = {"data_transfer_package__origin_location": origin, "destination_location": end}
        factories.DataTransferFactory(failed=True, **ends)
        names = {origin.site.short_name, end.site.short_name}
        html = seeing(DataLocation, DataTransfer, DataTransferRoute).get(page("dataflow")).content.decode()
        assert [name for name in names if name in html] == []
        assert f">{end.name}<" in html and "(not shown) to (not shown): " in html
        html = seeing(DataLocation, DataTransfer, Site).get(page("dataflow")).content.decode()
        assert f"{end.site}/{end.name}" in html and "(not shown)" not in html

    def test_a_route_without_traffic_is_drawn_too_and_one_out_of_use_called_so(self, browser):
        paused, used = factories.DataTransferRouteFactory(active=False), factories.DataTransferRouteFactory()
        found = read(browser.get(page("dataflow")))
        assert {"opsdb-way-closed", "opsdb-way-idle"} <= found.classes()
        names = " ".join(attributes.get("aria-label") or "" for tag, attributes in found.tags if tag == "a")
        assert f"{paused.name} (inactive)" in names
        assert used.name in names and f"{used.name} (inactive)" not in names


@pytest.mark.parametrize(
    "factory",
    [
        factories.DataTransferPackageFactory,
        factories.DataTransferFactory,
        factories.LongTermArchiveTransferFactory,
        factories.StagingJobFactory,
        factories.ExecutedReductionStepFactory,
    ],
)
def test_who_has_the_permission_that_why_names_has_the_button_that_it_recommends(factory, seeing):
    row = factory(failed=True)
    [name] = re.findall(r"permission opsdb\.(\w+)", explain_row(row).who_in_words)
    view = f"view_{row._meta.model_name}"
    may = Permission.objects.filter(content_type__app_label="opsdb", codename__in=[name, view])
    url = f"/admin/opsdb/{row._meta.model_name}/{row.pk}/change/"
    browser = logged_in(factories.UserFactory(is_staff=True, user_permissions=may))
    assert 'value="reset"' in browser.get(url).content.decode()
    assert 'value="reset"' not in seeing(type(row)).get(url).content.decode()


def test_permissions_that_explanations_name_are_those_of_actions():
    asked = {
        action.permission if "_" in action.permission else f"{action.permission}_{model._meta.model_name}"
        for model, action in ACTIONS
    }
    assert set(PERMISSIONS.values()) <= asked
    assert set(PERMISSIONS) <= set(dir(workflows))
