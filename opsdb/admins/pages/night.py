"""A night: what was scheduled, what was executed, and what was down, instrument by instrument."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Q
from django.http import Http404, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.formatting import format_duration, format_minute, format_time_of_day
from opsdb.models import (
    Downtime,
    ExecutedObsUnit,
    ExecutedObsUnitModuleConfiguration,
    Instrument,
    InstrumentModule,
    Observatory,
    ObsUnit,
    PreScheduledSlot,
    RawDataPackage,
    Telescope,
)
from opsdb.workflows import summarize_execution_data

from ..drawings.timeline import Bar, Hours, Lane, TimeLine
from ..kit.columns import moment
from .executions import bar_legend, execution_bar, night_of, sign
from .night_failures import failed_packages
from .night_sky import NightSky
from .night_table import match_slots, night_sentence, night_table, table_title
from .night_warnings import planning_section
from .parts import Content, Facts, Figure, Question, Section, Table, capped, first_of, paragraph
from .viewer import AdminPage, Viewer

LIMIT = 500


def view(viewer: Viewer, night: str | None = None) -> Content | HttpResponseRedirect:
    """A night by its date, or the way to the latest."""
    asked = viewer.request.GET.get("date")
    if asked:
        try:
            return HttpResponseRedirect(viewer.page_url("night", date.fromisoformat(asked)))
        except ValueError:
            message = _("%(text)s is no date; write it as 2026-06-15.") % {"text": asked}
            return Content(questions=(_question(""),), message=message, status=400)
    if night is None:
        return HttpResponseRedirect(viewer.page_url("night", _last_observed(viewer)))
    try:
        night = date.fromisoformat(night)
        start = _noon(night)
        end = start + timedelta(days=1)
        before, after = night - timedelta(days=1), night + timedelta(days=2) - timedelta(days=1)
        slots, downtimes = _slots(viewer, start, end), _downtimes(viewer, start, end)
    except (ValueError, OverflowError):
        raise Http404(_("There is no such night.")) from None
    executions = _executions(viewer, start, end)
    telescopes = list(Telescope.objects.select_related("observatory").order_by("name")[:10])
    lanes = _lanes(viewer, telescopes, slots[0], downtimes[0], executions[0])
    near = _nearest(viewer, start, end)
    telescope = telescopes[0] if telescopes else None
    sky = NightSky(telescope, start, end) if telescope else None
    local = ZoneInfo(telescope.observatory.time_zone) if telescope and viewer.sees(Observatory) else None
    begin, finish = _used_hours(start, end, slots[0], executions[0], sky)
    line = TimeLine(
        name="night",
        title=_("Night of %(date)s") % {"date": f"{night:%A %Y-%m-%d}"},
        description=_("Slots of the schedule, observations and downtimes, instrument by instrument.")
        if viewer.sees(ExecutedObsUnit)
        else _("Slots of the schedule, and downtimes."),
        lanes=lanes,
        start=begin,
        end=finish,
        shades=sky.shades if sky else (),
        top=Hours("UTC"),
        bottom=Hours(local.key.rpartition("/")[2].replace("_", " "), local) if local else None,
        now=timezone.now(),
    )
    cut = [found for found in (slots, downtimes, executions) if found[1]]
    observed = bar_legend() if viewer.sees(ExecutedObsUnit) else []
    legend = [(sign("planned"), _("slot of the schedule")), *observed, (sign("down"), _("downtime"))]
    if sky and sky.shades:
        legend += [(sign("twilight"), _("twilight")), (sign("dark"), _("sun below −18°"))]
    back = viewer.page_url("night", night)
    rows = match_slots(slots[0], executions[0])
    data = None
    if viewer.sees(ExecutedObsUnit, RawDataPackage):
        data = summarize_execution_data([execution.pk for execution in executions[0]])
    sentence = night_sentence(viewer, rows, data)
    sections = [
        Section(
            line.title,
            (
                *([paragraph(sentence, "opsdb-sentence")] if sentence else []),
                *failed_packages(viewer, executions[0], data),
                Facts(_facts(viewer, sky, executions[0], local)),
                Figure("night", line.title, line.draw(), legend, notes=(first_of(LIMIT),) if cut else ()),
            ),
            "line",
        ),
        Section(table_title(viewer), (night_table(viewer, rows, data, back),), "executions"),
    ]
    if viewer.sees(Downtime):
        sections.append(Section(_("Downtimes"), (_downtime_table(viewer, downtimes[0]),), "downtimes"))
    if end > timezone.now() and (planned := planning_section(viewer, slots[0])):
        sections.insert(2 if executions[0] else 1, planned)
    links = [(f"← {before}", before), (f"{after} →", after)]
    if near["before"] and near["before"] < before:
        links.insert(0, (_("⇤ last one observed: %(date)s") % {"date": near["before"]}, near["before"]))
    if near["after"] and near["after"] > after:
        links.append((_("next one observed: %(date)s ⇥") % {"date": near["after"]}, near["after"]))
    tonight = night_of(timezone.now())
    if night != tonight:
        links.append((_("tonight: %(date)s") % {"date": tonight}, tonight))
    return Content(
        title=line.title,
        questions=(_question(night.isoformat()),),
        links=[(text, viewer.page_url("night", target)) for text, target in links],
        sections=sections,
    )


def _question(value):
    return Question("date", _("Night that begins on"), value, type="text", help=_("Year-month-day: 2026-06-15."))


def _noon(night):
    return datetime.combine(night, time(12), tzinfo=UTC)


def _last_observed(viewer):
    """The last night with an observation; of the present one only once the sun has set. Tonight where there is none."""
    now = timezone.now()
    if not viewer.sees(ExecutedObsUnit):
        return night_of(now)
    newest = ExecutedObsUnit.objects.latest_first().values_list("start_time", flat=True).first()
    night = night_of(newest or now)
    if newest is None or night < night_of(now):
        return night
    # What was observed in the daytime belongs to the night that is still ahead.
    start = _noon(night)
    telescope = Telescope.objects.order_by("name").first()
    sky = NightSky(telescope, start, start + timedelta(days=1)) if telescope else None
    is_ahead = sky is not None and sky.set_rise is not None and now < sky.set_rise[0]
    before = _nearest(viewer, start, start + timedelta(days=1))["before"] if is_ahead else None
    return before or night


def _nearest(viewer, start, end):
    """The nights before and after with an execution, each the end of an index."""
    if not viewer.sees(ExecutedObsUnit):
        return {"before": None, "after": None}
    times = ExecutedObsUnit.objects.values_list("start_time", flat=True)
    before = times.filter(start_time__lt=start).order_by("-start_time").first()
    after = times.filter(start_time__gte=end).order_by("start_time").first()
    return {"before": before and night_of(before), "after": after and night_of(after)}


def _slots(viewer, start, end):
    if not viewer.sees(PreScheduledSlot):
        return [], False
    return capped(
        # A slot is shorter than a day, which lets the index on the start serve.
        PreScheduledSlot.objects.overlapping(start, end)
        .filter(start_time__gte=start - timedelta(days=1))
        .select_related("obs_unit__observing_program", "telescope")
        .order_by("start_time"),
        LIMIT,
    )


def _downtimes(viewer, start, end):
    if not viewer.sees(Downtime):
        return [], False
    return capped(
        Downtime.objects.filter(Q(end_time__isnull=True) | Q(end_time__gt=start), start_time__lt=end)
        .select_related("telescope", "instrument", "instrument_module")
        .order_by("-start_time"),
        LIMIT,
    )


def _executions(viewer, start, end):
    if not viewer.sees(ExecutedObsUnit):
        return [], False
    return capped(
        ExecutedObsUnit.objects.filter(start_time__gte=start, start_time__lt=end)
        .select_related("obs_unit__observing_program")
        .order_by("start_time"),
        LIMIT,
    )


def _used_hours(start, end, slots, executions, sky):
    """The hours to draw: the night, and whatever is planned or executed, with an hour around."""
    spans = [(slot.start_time, slot.end_time) for slot in slots]
    spans += [(execution.start_time, execution.end_time or timezone.now()) for execution in executions]
    if sky and sky.set_rise:
        spans.append(sky.set_rise)
    if not spans:
        return start, end
    hour = timedelta(hours=1)
    first = min(begin for begin, _stop in spans).replace(minute=0, second=0, microsecond=0) - hour
    last = max(stop for _begin, stop in spans).replace(minute=0, second=0, microsecond=0) + 2 * hour
    return max(first, start), min(last, end)


def _instruments_of(executions):
    """Instruments by execution: of the modules as used, else of those that wrote data, else of those planned."""
    keys = [execution.pk for execution in executions]
    units = {execution.obs_unit_id for execution in executions}
    used = ExecutedObsUnitModuleConfiguration.objects.filter(executed_obs_unit__in=keys).values_list(
        "executed_obs_unit_id", F("module_configuration__instrument_module__instrument_id")
    )
    wrote = RawDataPackage.objects.filter(executed_obs_unit__in=keys).values_list(
        "executed_obs_unit_id", F("instrument_module__instrument_id")
    )
    planned = ObsUnit.module_configurations.through.objects.filter(obsunit__in=units).values_list(
        "obsunit_id", F("instrumentmoduleconfiguration__instrument_module__instrument_id")
    )
    by_unit, found = {}, {}
    for unit, instrument in planned.order_by().distinct():
        by_unit.setdefault(unit, set()).add(instrument)
    for rows in (wrote, used):
        fresh = {}
        for execution, instrument in rows.order_by().distinct():
            fresh.setdefault(execution, set()).add(instrument)
        found |= fresh
    return {
        execution.pk: found.get(execution.pk) or by_unit.get(execution.obs_unit_id, set()) for execution in executions
    }


def _lanes(viewer, telescopes, slots, downtimes, executions):
    """The lanes of each telescope: its schedule, its downtimes, then its instruments, as far as they are shown."""
    instruments = list(Instrument.objects.select_related("telescope").order_by("name")[:50])
    by_execution = _instruments_of(executions)
    lanes = []
    for telescope in telescopes:
        short_name = telescope.short_name if viewer.sees(Telescope) else viewer.withheld
        of_telescope = [slot for slot in slots if slot.telescope_id == telescope.pk]
        lanes.append(
            Lane(
                _("%(telescope)s schedule") % {"telescope": short_name},
                [_slot_bar(viewer, slot) for slot in of_telescope],
            )
        )
        own = [downtime for downtime in downtimes if downtime.telescope_id == telescope.pk]
        if own:
            label = _("%(telescope)s down") % {"telescope": short_name}
            lanes.append(Lane(label, [_downtime_bar(viewer, downtime) for downtime in own]))
        for instrument in instruments:
            if instrument.telescope_id != telescope.pk:
                continue
            down = [
                downtime
                for downtime in downtimes
                if downtime.instrument_id == instrument.pk
                or (downtime.instrument_module and downtime.instrument_module.instrument_id == instrument.pk)
            ]
            done = [execution for execution in executions if instrument.pk in by_execution[execution.pk]]
            name = instrument.name if viewer.sees(Instrument) else viewer.withheld
            if done or (instrument.available and viewer.sees(Instrument)):
                lanes.append(Lane(name, [execution_bar(viewer, execution) for execution in done]))
            by_module: dict[str, list[Downtime]] = {}
            for downtime in down:
                by_module.setdefault(str(downtime.instrument_module or ""), []).append(downtime)
            for module in sorted(by_module):
                name = viewer.withheld
                if viewer.sees(Instrument, *((InstrumentModule,) if module else ())):
                    name = f"{instrument.name} {module}".rstrip()
                label = _("%(instrument)s down") % {"instrument": name}
                lanes.append(Lane(label, [_downtime_bar(viewer, downtime) for downtime in by_module[module]]))
    unknown = [execution for execution in executions if not by_execution[execution.pk]]
    if unknown:
        lanes.append(Lane(_("instrument unknown"), [execution_bar(viewer, execution) for execution in unknown]))
    return lanes


def _unit_name(viewer, slot):
    return f"{slot.obs_unit.observing_program} / {slot.obs_unit}" if viewer.sees(ObsUnit) else viewer.withheld


def _slot_bar(viewer, slot):
    name = _unit_name(viewer, slot)
    description = _("%(start)s–%(end)s UTC %(unit)s: slot of the schedule") % {
        "start": format_time_of_day(slot.start_time),
        "end": format_time_of_day(slot.end_time),
        "unit": name,
    }
    text = str(slot.obs_unit) if viewer.sees(ObsUnit) else ""
    return Bar(slot.start_time, slot.end_time, "planned", text, description, viewer.row_url(PreScheduledSlot, slot.pk))


def _downtime_bar(viewer, downtime):
    description = _("down since %(start)s UTC: %(reason)s") % {
        "start": format_minute(downtime.start_time),
        "reason": downtime.reason,
    }
    module = downtime.instrument_module if viewer.sees(InstrumentModule) else None
    text = f"{module}: {downtime.reason}" if module else downtime.reason
    return Bar(downtime.start_time, downtime.end_time, "down", text, description, viewer.row_url(Downtime, downtime.pk))


def _downtime_table(viewer, downtimes):
    rows = [
        (
            format_html('<a href="{}">{}</a>', viewer.row_url(Downtime, downtime.pk), downtime.reason),
            viewer.link(downtime.telescope or downtime.instrument or downtime.instrument_module),
            moment(downtime.start_time),
            moment(downtime.end_time) if downtime.end_time else _("lasts"),
        )
        for downtime in downtimes
    ]
    columns = (_("reason"), _("what is down"), _("start [UTC]"), _("end [UTC]"))
    return Table(_("Downtimes"), columns, rows, _("Nothing was down."))


def _facts(viewer, sky, executions, local):
    def span(times):
        return f"{format_time_of_day(times[0])}–{format_time_of_day(times[1])} UTC"

    if viewer.sees(ExecutedObsUnit):
        number = len(executions)
        yield _("observed"), ngettext("%(number)s observation", "%(number)s observations", number) % {"number": number}
        done = sum(((one.end_time - one.start_time) for one in executions if one.end_time), timedelta())
        yield _("time in observations"), format_duration(done.total_seconds())
    if sky and sky.known:
        # To the five minutes in which the sun was looked at.
        yield _("sun below the horizon"), sky.set_rise and span(sky.set_rise)
        yield _("sun below −18°"), sky.dark and span(sky.dark)
        up = ", ".join(map(span, sky.moon_up)) or _("not in the night")
        yield _("moon"), _("%(lit)s %% lit, up %(times)s") % {"lit": f"{100 * sky.lit:.0f}", "times": up}
    if local:
        yield _("local time below the picture"), local.key


PAGE = AdminPage(
    "night",
    ("night/", "night/<str:night>/"),
    lazy("Night"),
    view,
    (ExecutedObsUnit, PreScheduledSlot),
)
