"""Forms of a plan take what astronomers write, offer what fits, and warn once of what is probably a mistake."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.models import (
    ApiToken,
    ChaiObservationConfiguration,
    ChangeLog,
    ConfigurationType,
    ConstantElevationSource,
    CoordinateFrame,
    DataRelease,
    Downtime,
    ExecutedObsUnit,
    FixedSource,
    FixityCheck,
    Instrument,
    Observatory,
    ObservingProgram,
    ObsUnit,
    PreScheduledSlot,
    Publication,
    RawDataFile,
    ReductionStep,
    Telescope,
    TimeAllocation,
)
from opsdb.testing.factories import (
    ChaiModuleConfigurationFactory,
    ChaiObservationConfigurationFactory,
    FixedSourceFactory,
    InstrumentFactory,
    ObservingProgramFactory,
    ObsModeFactory,
    ObsUnitFactory,
    PreScheduledSlotFactory,
    PrimeCamModuleConfigurationFactory,
    PrimeCamObservationConfigurationFactory,
    PublicationFactory,
    ReductionStepFactory,
    TelescopeFactory,
)
from tests.worlds import shared_world

from .conftest import may_only
from .pages import ADMINS, address, errors_of, submit, typed

HIGH, LOW = datetime(2026, 6, 15, 16, tzinfo=UTC), datetime(2026, 6, 15, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


@shared_world
def plan():
    telescope = TelescopeFactory(elevation_min_deg=20.0)
    chai = ChaiModuleConfigurationFactory(
        instrument_module__instrument=InstrumentFactory(telescope=telescope, name="CHAI")
    )
    prime_cam = PrimeCamModuleConfigurationFactory(
        instrument_module__instrument=InstrumentFactory(telescope=telescope, name="Prime-Cam")
    )
    unit = ObsUnitFactory(source=FixedSourceFactory(name="Orion KL"), module_configurations=[chai], name="M42-CO43")
    return SimpleNamespace(telescope=telescope, chai=chai, prime_cam=prime_cam, unit=unit)


def sent(browser, model, row, change=None, page="add"):
    """Send a form once, as it describes a row."""
    url = address(model, page, row) if page == "change" else address(model, page)
    shown = browser.get(url)
    data = typed(shown.context["adminform"].form, row)
    for wrapped in shown.context["inline_admin_formsets"]:
        prefix = wrapped.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return url, data | (change or {})


class TestWarnings:
    def test_the_form_comes_back_once_and_save_anyway_saves(self, browser, plan):
        row = FixedSource(name="M 82", ra_deg=148.97, dec_deg=69.68)
        url, data = sent(browser, FixedSource, row)
        answer = browser.post(url, data)
        assert answer.status_code == 200
        page = answer.content.decode()
        assert "source M 82: never rises above 20°" in page and "Save anyway" in page
        assert "Please correct" not in page and "errornote" not in page
        assert not FixedSource.objects.filter(name="M 82").exists()
        agreed = {answer.context["planning_button"]: answer.context["planning_agreed"]}
        assert browser.post(url, data | agreed).status_code == 302
        assert FixedSource.objects.get(name="M 82").dec_deg == 69.68

    def test_what_is_right_is_saved_at_once(self, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="Crab", ra_deg=83.63, dec_deg=22.01))
        assert browser.post(url, data).status_code == 302

    def test_agreeing_to_one_mistake_is_not_agreeing_to_another(self, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="M 82", ra_deg=148.97, dec_deg=69.68))
        answer = browser.post(url, data)
        agreed = {answer.context["planning_button"]: answer.context["planning_agreed"]}
        again = browser.post(url, data | agreed | {"dec_deg": "79.68"})
        assert again.status_code == 200 and again.context["planning_warnings"]
        assert not FixedSource.objects.filter(name="M 82").exists()

    def test_the_button_that_was_pressed_keeps_its_meaning(self, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="M 82", ra_deg=148.97, dec_deg=69.68))
        answer = browser.post(url, data | {"_addanother": "1"})
        agreed = {answer.context["planning_button"]: answer.context["planning_agreed"]}
        assert browser.post(url, data | agreed)["Location"].endswith("/add/")

    def test_errors_come_before_warnings(self, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="", ra_deg=148.97, dec_deg=69.68))
        answer = browser.post(url, data)
        assert "planning_warnings" not in answer.context
        assert "This field is required." in errors_of(answer)

    def test_saving_what_nobody_changed_warns_of_nothing(self, browser, plan):
        source = FixedSourceFactory(name="M 82", dec_deg=69.68)
        url, data = sent(browser, FixedSource, source, page="change")
        assert browser.post(url, data).status_code == 302

    def test_a_unit_with_the_modules_that_the_form_chooses(self, browser, plan):
        setup = {"module_configurations": [plan.prime_cam.pk]}
        url, data = sent(browser, ObsUnit, plan.unit, setup, page="change")
        answer = browser.post(url, data)
        assert "is for CHAI, and not for the modules Prime-Cam / " in answer.content.decode()
        url, data = sent(browser, ObsUnit, plan.unit, {"priority": 3}, page="change")
        assert browser.post(url, data).status_code == 302

    def test_a_new_unit_without_modules(self, browser, plan):
        new = ObsUnit(
            name="new",
            observing_program=plan.unit.observing_program,
            source=plan.unit.source,
            obs_mode=plan.unit.obs_mode,
            configuration=plan.unit.configuration,
        )
        url, data = sent(browser, ObsUnit, new)
        assert "choose the configurations of the modules" in browser.post(url, data, follow=True).content.decode()
        unit = ObsUnit.objects.get(name="new")
        url, data = sent(browser, ObsUnit, unit, {"priority": 3}, page="change")
        assert "choose the configurations" not in browser.post(url, data, follow=True).content.decode()

    def test_a_downtime_that_may_affect_units_without_modules(self, browser, plan):
        unit = ObsUnitFactory(source=plan.unit.source, name="lazy")
        PreScheduledSlotFactory(obs_unit=unit, telescope=plan.telescope, start_time=HIGH, end_time=HIGH + HOUR)
        downtime = Downtime(instrument=plan.chai.instrument_module.instrument, start_time=LOW, reason="warm")
        url, data = sent(browser, Downtime, downtime)
        page = browser.post(url, data).content.decode()
        assert "units without module configurations may be affected, in 1 slot: lazy at 2026-06-15 16:00 UTC" in page

    def test_a_slot_below_the_limits_and_in_a_downtime(self, browser, plan):
        Downtime.objects.create(telescope=plan.telescope, start_time=LOW - HOUR, end_time=LOW + HOUR, reason="snow")
        slot = PreScheduledSlot(obs_unit=plan.unit, telescope=plan.telescope, start_time=LOW, end_time=LOW + HOUR / 2)
        url, data = sent(browser, PreScheduledSlot, slot)
        warnings = browser.post(url, data).context["planning_warnings"]
        assert [warning.kind for warning in warnings] == ["downtime", "elevation"]
        slot.start_time, slot.end_time = HIGH, HIGH + HOUR
        url, data = sent(browser, PreScheduledSlot, slot)
        assert browser.post(url, data).status_code == 302

    def test_a_downtime_that_hits_a_slot(self, browser, plan):
        PreScheduledSlotFactory(obs_unit=plan.unit, telescope=plan.telescope, start_time=HIGH, end_time=HIGH + HOUR)
        downtime = Downtime(instrument=plan.chai.instrument_module.instrument, start_time=LOW, reason="warm")
        url, data = sent(browser, Downtime, downtime)
        assert "it overlaps with 1 slot: M42-CO43 at 2026-06-15 16:00 UTC" in browser.post(url, data).content.decode()

    def test_rows_that_the_person_may_not_view_are_not_named(self, browser, plan):
        Downtime.objects.create(telescope=plan.telescope, start_time=LOW - HOUR, end_time=LOW + HOUR, reason="snow")
        slot = PreScheduledSlot(obs_unit=plan.unit, telescope=plan.telescope, start_time=LOW, end_time=LOW + HOUR / 2)
        url, data = sent(browser, PreScheduledSlot, slot)
        page = may_only(PreScheduledSlot).post(url, data).content.decode()
        assert "it is in a downtime that you may not view" in page and "snow" not in page
        page = may_only(PreScheduledSlot, Downtime).post(url, data).content.decode()
        assert "it is in a downtime that you may not view" in page and "snow" not in page, "whose telescope is named"
        page = may_only(PreScheduledSlot, Downtime, Telescope).post(url, data).content.decode()
        assert "it is in a downtime that you may not view" not in page and "(snow)" in page

        slot.save()
        downtime = Downtime(telescope=plan.telescope, start_time=LOW, reason="wind")
        url, data = sent(browser, Downtime, downtime)
        page = may_only(Downtime).post(url, data).content.decode()
        assert "it overlaps with 1 slot that you may not view" in page and "M42-CO43" not in page
        assert "M42-CO43" in may_only(Downtime, PreScheduledSlot, ObsUnit).post(url, data).content.decode()

    @pytest.mark.parametrize("may_see", [False, True])
    def test_a_source_and_a_telescope_are_named_to_those_who_may_view_them(self, may_see, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="M 82", ra_deg=148.97, dec_deg=69.68))
        client = may_only(FixedSource, *([Telescope] if may_see else []))
        page = client.post(url, data).content.decode()
        assert ("20° at " in page) is may_see
        assert ("never rises above the lowest elevation of any telescope" in page) is not may_see

    def test_an_allocation_of_more_than_its_days_have(self, browser, plan):
        program = ObservingProgramFactory()
        allocation = TimeAllocation(
            observing_program=program,
            instrument=plan.chai.instrument_module.instrument,
            period="2099A",
            start_date=date(2099, 1, 1),
            end_date=date(2099, 1, 2),
            hours=25,
        )
        url, data = sent(browser, TimeAllocation, allocation)
        answer = browser.post(url, data)
        assert "25 h are more than the 24 h of its 1 day" in answer.content.decode()
        agreed = {answer.context["planning_button"]: answer.context["planning_agreed"]}
        assert browser.post(url, data | agreed).status_code == 302

    def test_a_program_that_ends_before_its_slots(self, browser, plan):
        start = timezone.now() + HOUR
        PreScheduledSlotFactory(obs_unit=plan.unit, telescope=plan.telescope, start_time=start, end_time=start + HOUR)
        program = plan.unit.observing_program
        url, data = sent(browser, ObservingProgram, program, page="change")
        data.pop("active")
        assert "has 1 slot to come" in browser.post(url, data).content.decode()

    def test_looking_at_a_row_warns_of_nothing(self, browser, plan):
        source = FixedSourceFactory(name="M 82", dec_deg=69.68)
        assert "planning_warnings" not in browser.get(address(FixedSource, "change", source)).context


class TestCoordinates:
    @pytest.mark.parametrize(
        ("ra", "dec", "degrees"),
        [
            ("83.8221", "-5.3911", (83.8221, -5.3911)),
            ("05:35:17.3", "-05:23:28", (83.822083, -5.391111)),
            ("5h35m17.3s", "-5d23m28s", (83.822083, -5.391111)),
            ("83d49m19.5s", "−5°23′28″", (83.822083, -5.391111)),
        ],
    )
    def test_degrees_and_sexagesimal_ones_are_taken(self, ra, dec, degrees, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="one", ra_deg=0, dec_deg=0))
        answer = browser.post(url, data | {"ra_deg": ra, "dec_deg": dec})
        assert answer.status_code == 302, errors_of(answer)
        source = FixedSource.objects.get(name="one")
        assert (source.ra_deg, source.dec_deg) == pytest.approx(degrees, abs=1e-6)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("ra_deg", "5:35", "write three parts such as 03:12:05.4"),
            ("ra_deg", "Orion", "or hours such as 05:35:17.3 or 5h35m17.3s"),
            ("dec_deg", "5h35m17.3s", "not hours"),
            ("dec_deg", "91", "90"),
            ("ra_deg", "25:00:00", "360"),
            ("ra_deg", "nan", "Write degrees such as"),
        ],
    )
    def test_what_is_none_is_refused_beside_the_field(self, name, text, message, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="one", ra_deg=1, dec_deg=1))
        form = browser.post(url, data | {name: text}).context["adminform"].form
        assert message in " ".join(form.errors[name])
        assert form[name].value() == text

    @pytest.mark.parametrize(("frame", "degrees"), [("fk5", 83.822083), ("galactic", 5.588139)])
    def test_a_given_longitude_is_in_hours_in_equatorial_frames_alone(self, frame, degrees, browser, plan):
        url, data = sent(browser, FixedSource, FixedSource(name="one", ra_deg=1, dec_deg=1))
        given = {"frame": CoordinateFrame(frame).value, "longitude_deg": "05:35:17.3", "latitude_deg": "-5:23:28"}
        answer = browser.post(url, data | given)
        assert answer.status_code == 302, errors_of(answer)
        assert FixedSource.objects.get(name="one").longitude_deg == pytest.approx(degrees, abs=1e-6)

    def test_edges_of_a_field_and_places_of_telescopes(self, browser, plan):
        field = ConstantElevationSource(name="field", ra_min_deg=0, ra_max_deg=0, dec_min_deg=-2, dec_max_deg=2)
        url, data = sent(browser, ConstantElevationSource, field)
        answer = browser.post(url, data | {"ra_min_deg": "23:20:00", "ra_max_deg": "1h20m"})
        assert answer.status_code == 302, errors_of(answer)
        assert ConstantElevationSource.objects.values_list("ra_min_deg", "ra_max_deg").get() == (350.0, 20.0)
        place = {"latitude_deg": "-22:59:08.3", "longitude_deg": "-67:44:25"}
        answer = submit(browser, address(Telescope, "change", plan.telescope), plan.telescope, place)
        assert answer.status_code == 302, errors_of(answer)
        assert Telescope.objects.get().longitude_deg == pytest.approx(-67.740278, abs=1e-6)


class TestLists:
    def test_aliases_are_written_one_on_each_line(self, browser, plan):
        source = FixedSourceFactory(aliases=["NGC 1976", "M 42"])
        url, data = sent(browser, FixedSource, source, page="change")
        assert data["aliases"] == "NGC 1976\nM 42"
        assert browser.post(url, data | {"aliases": " M 42 \r\n\r\nOrion KL\r\nM 42"}).status_code == 302
        source.refresh_from_db()
        assert source.aliases == ["M 42", "Orion KL"]
        assert "M 42, Orion KL" in browser.get(f"/admin/opsdb/source/?q={source.name}").content.decode()

    def test_authors_and_networks_too(self, browser, plan, superuser):
        publication = PublicationFactory(authors=[])
        submit(browser, address(Publication, "change", publication), publication, {"authors": "Reines\nCowan"})
        publication.refresh_from_db()
        assert publication.authors == ["Reines", "Cowan"]

    def test_scopes_are_chosen_and_unknown_ones_refused(self, browser, plan, superuser):
        token, _secret = ApiToken.objects.create_token(user=superuser, name="one", scopes=["change:obs_unit"])
        page = browser.get(address(ApiToken, "change", token)).content.decode()
        assert '<option value="change:obs_unit" selected>' in page and '<option value="read:observations">' in page
        new = {"scopes": ["read:observations", "*:*"], "allowed_networks": "10.0.0.0/8\n::1"}
        answer = submit(browser, address(ApiToken, "change", token), token, new)
        assert answer.status_code == 302, errors_of(answer)
        token.refresh_from_db()
        assert (token.scopes, token.allowed_networks) == (["read:observations", "*:*"], ["10.0.0.0/8", "::1"])
        answer = submit(browser, address(ApiToken, "change", token), token, {"scopes": ["fly:moon"]})
        assert errors_of(answer) == ["No permission is named fly:moon."]

    def test_dimensions_are_chosen(self, browser, plan):
        step = ReductionStepFactory(group_by=[])
        submit(browser, address(ReductionStep, "change", step), step, {"group_by": ["night", "source"]})
        step.refresh_from_db()
        assert step.group_by == ["night", "source"]


def groups_of(form, name):
    return {str(group): [label for _key, label in options] for group, options in form.fields[name].choices if group}


class TestChoices:
    def test_recipes_and_modules_that_fit_come_first_and_need_no_script(self, browser, plan):
        PrimeCamObservationConfigurationFactory(name="pong scan")
        response = browser.get(address(ObsUnit, "change", plan.unit))
        form = response.context["adminform"].form
        recipes = groups_of(form, "configuration")
        assert [*recipes] == ["CHAI", "Prime-Cam (does not fit)"]
        assert recipes["Prime-Cam (does not fit)"] == ["pong scan v1"]
        assert b'<optgroup label="CHAI">' in response.content

    def test_the_mode_decides_before_the_modules(self, browser, plan):
        mode = ObsModeFactory(configuration_type=ConfigurationType.PRIME_CAM)
        unit = ObsUnitFactory(obs_mode=mode, module_configurations=[plan.chai])
        recipes = groups_of(browser.get(address(ObsUnit, "change", unit)).context["adminform"].form, "configuration")
        assert [*recipes] == ["CHAI (does not fit)"]

    def test_modules_of_the_programs_instruments_come_first(self, browser, plan):
        program = ObservingProgramFactory(instruments=[plan.prime_cam.instrument_module.instrument])
        unit = ObsUnitFactory(observing_program=program)
        form = browser.get(address(ObsUnit, "change", unit)).context["adminform"].form
        assert [label for _key, label in form.fields["module_configurations"].choices] == [
            f"Prime-Cam / {plan.prime_cam.instrument_module} · {plan.prime_cam}",
            f"CHAI / {plan.chai.instrument_module} (does not fit) · {plan.chai}",
        ]

    def test_what_fits_is_offered_before_the_newest_that_does_not(self, browser, plan, monkeypatch):
        monkeypatch.setattr("opsdb.admins.kit.fitting.MOST_CHOICES", 2)
        for number in range(3):
            PrimeCamObservationConfigurationFactory(name=f"newer {number}")
        fitting = ChaiObservationConfiguration.objects.exclude(pk=plan.unit.configuration_id)
        fitting.delete()
        form = browser.get(address(ObsUnit, "change", plan.unit)).context["adminform"].form
        assert groups_of(form, "configuration") == {
            "CHAI": [str(plan.unit.configuration)],
            "Prime-Cam (does not fit)": ["newer 2 v1"],
        }

    def test_where_more_fit_than_a_control_shows_they_are_found_by_typing(self, browser, plan, monkeypatch):
        monkeypatch.setattr("opsdb.admins.kit.fitting.MOST_CHOICES", 1)
        module = plan.chai.instrument_module
        ChaiModuleConfigurationFactory(instrument_module=module)
        ChaiObservationConfigurationFactory(name="another")
        url, data = sent(browser, ObsUnit, plan.unit, page="change")
        page = browser.get(url).content.decode()
        for name in ("configuration", "module_configurations"):
            assert f'data-field-name="{name}"' in page
        assert f'<option value="{plan.unit.configuration_id}" selected>' in page
        assert browser.post(url, data | {"priority": 3}).status_code == 302
        plan.unit.refresh_from_db()
        assert (plan.unit.priority, plan.unit.module_configurations.get().pk) == (3, plan.chai.pk)

    def test_what_a_unit_uses_is_offered_though_nobody_may_plan_with_it_any_more(self, browser, plan):
        type(plan.chai).objects.update(active=False)
        form = browser.get(address(ObsUnit, "change", plan.unit)).context["adminform"].form
        assert (plan.chai.pk, f"CHAI / {plan.chai.instrument_module} · {plan.chai}") in [
            *form.fields["module_configurations"].choices
        ]

    def test_modules_of_a_downtime_stand_below_telescope_and_instrument(self, browser, plan):
        form = browser.get(address(Downtime, "add")).context["adminform"].form
        assert [*groups_of(form, "instrument")] == [str(plan.telescope)]
        assert f"{plan.telescope} / CHAI" in groups_of(form, "instrument_module")

    @pytest.mark.parametrize("model", [PreScheduledSlot, Instrument])
    def test_the_only_telescope_is_chosen_already(self, model, browser, plan):
        form = browser.get(address(model, "add")).context["adminform"].form
        assert form["telescope"].value() == plan.telescope.pk
        TelescopeFactory(observatory=Observatory.objects.get())
        assert browser.get(address(model, "add")).context["adminform"].form["telescope"].value() is None

    def test_whoever_writes_a_downtime_down_has_reported_it(self, browser, plan, superuser):
        form = browser.get(address(Downtime, "add")).context["adminform"].form
        assert form["reported_by"].value() == superuser.pk

    @pytest.mark.parametrize("page", ["add", "change"])
    def test_fields_stand_below_headings_and_none_is_lost(self, page, browser, plan):
        row = plan.unit if page == "change" else None
        shown = browser.get(address(ObsUnit, page, row) if row else address(ObsUnit, page))
        sections = {fieldset.name: [*fieldset.fields] for fieldset in shown.context["adminform"]}
        assert sections["Conditions"][0] == "elevation_min_deg"
        names = {getattr(name, "__name__", name) for group in sections.values() for name in group}
        editable = {name for name, field in ADMINS[ObsUnit].model_fields.items() if field.editable}
        assert editable - {"id"} <= names
        assert ("Record" in sections) is (page == "change")


class TestLocalTime:
    def test_it_stands_below_the_inputs(self, browser, plan):
        slot = PreScheduledSlotFactory(obs_unit=plan.unit, telescope=plan.telescope, start_time=LOW)
        page = browser.get(address(PreScheduledSlot, "change", slot)).content.decode()
        assert '<span class="opsdb-local" data-zone="America/Santiago"><span>2026-06-15 00:00</span>' in page
        assert "in America/Santiago" in browser.get(address(PreScheduledSlot, "add")).content.decode()

    def test_it_stands_below_times_of_the_night_in_lists(self, browser, plan):
        PreScheduledSlotFactory(
            obs_unit=plan.unit, telescope=plan.telescope, start_time=LOW - HOUR, end_time=LOW + HOUR
        )
        page = browser.get(address(PreScheduledSlot, "changelist")).content.decode()
        assert "2026-06-14 23:00 local" in page and "01:00 local" in page
        assert 'title="2026-06-15 01:00:00 in America/Santiago"' in page

    def test_it_stands_below_what_a_form_only_shows(self, browser, plan):
        page = browser.get(address(ObsUnit, "change", plan.unit)).content.decode()
        assert page.count(" local</span>") >= 2, "when it was created and updated"

    def test_where_observatories_differ_there_is_none_in_a_new_form(self, browser, plan):
        TelescopeFactory(observatory__time_zone="Europe/Berlin")
        assert b"data-zone" not in browser.get(address(PreScheduledSlot, "add")).content


class TestNight:
    URL = "/admin/opsdb/executedobsunit/night/2026-06-15/"

    def test_what_is_unusual_in_a_plan_is_listed_until_the_night_is_over(self, browser, plan, monkeypatch):
        times = {"start_time": LOW + timedelta(days=1), "end_time": LOW + timedelta(days=1) + HOUR}
        slot = PreScheduledSlotFactory(obs_unit=plan.unit, telescope=plan.telescope, **times)
        monkeypatch.setattr("django.utils.timezone.now", lambda: HIGH)
        page = browser.get(self.URL).content.decode()
        assert "Is this meant?" in page and "below the 20° of" in page
        assert (
            f'<a href="/admin/opsdb/prescheduledslot/{slot.pk}/change/">slot 2026-06-16 04:00 UTC of M42-CO43</a>'
            in page
        )
        page = may_only(ExecutedObsUnit, PreScheduledSlot, ObsUnit, Downtime).get(self.URL).content.decode()
        assert "its source is outside of the limits of elevation" in page and "below the 20°" not in page
        monkeypatch.setattr("django.utils.timezone.now", lambda: HIGH + timedelta(days=2))
        assert "Is this meant?" not in browser.get(self.URL).content.decode()

    def test_as_many_queries_for_many_slots_as_for_few(self, browser, plan, monkeypatch):
        monkeypatch.setattr("django.utils.timezone.now", lambda: HIGH)

        def queries(first, last):
            for hour in range(first, last):
                start = HIGH + hour * HOUR
                unit = ObsUnitFactory(source=plan.unit.source, module_configurations=[plan.chai])
                bare = ObsUnitFactory(source=plan.unit.source)
                for own, begins in ((unit, start), (bare, start + HOUR / 2)):
                    ends = begins + HOUR / 2
                    PreScheduledSlotFactory(obs_unit=own, telescope=plan.telescope, start_time=begins, end_time=ends)
            with CaptureQueriesContext(connection) as captured:
                page = browser.get(self.URL).content.decode()
            assert "Is this meant?" in page and "its unit, which has no module configuration, may be affected" in page
            return len(captured)

        Downtime.objects.create(
            instrument_module=plan.chai.instrument_module, start_time=HIGH, end_time=HIGH + 24 * HOUR, reason="warm"
        )
        # Orion is below the horizon after 22:00 UTC.
        few, many = queries(8, 10), queries(10, 16)
        assert many == few <= 60


def test_the_change_log_and_fixity_checks_are_narrowed_to_periods_by_their_index(browser, db):
    for model in (ChangeLog, FixityCheck, Downtime, DataRelease, PreScheduledSlot):
        page = browser.get(address(model, "changelist")).content.decode()
        assert "Last week" in page and "Next 7 days" in page, model
    assert "Last week" not in browser.get(address(RawDataFile, "changelist")).content.decode()
