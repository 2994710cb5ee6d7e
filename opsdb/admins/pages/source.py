"""All about one source: what is planned and was observed of it, what data there are and where, and when it is up.

Of a source that is observed often, the data are those of the newest executions. The number of queries does not depend
on the number of rows.
"""

from datetime import UTC, datetime, time, timedelta
from math import ceil

from django.db.models import Count, F, Q, Sum
from django.http import Http404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_declination, format_duration, format_right_ascension, format_time_of_day
from opsdb.models import (
    ConstantElevationSource,
    DataLocation,
    DataProduct,
    ExecutedObsUnit,
    ExecutedReductionStepInputPackage,
    FixedSource,
    ObservationStatus,
    ObsUnit,
    PackageState,
    PhysicalCopy,
    Quality,
    RawDataPackage,
    Source,
    Telescope,
)

from ..drawings.heavens import altitude
from ..kit.columns import human_size, moment
from .executions import execution_table, night_of
from .night_sky import STEP, NightSky, spans_of
from .parts import Content, Facts, Section, Table, capped, first_of, paragraph, subheading
from .viewer import AdminPage, Viewer

UNITS = 50
EXECUTIONS = 20
NEWEST = 2_000
"""Observations whose data are summed at most."""
SUMMED_PACKAGES = 5_000
"""About as many packages of them: where each of their copies is, is counted within a tenth of a second."""
SAMPLE = 100
"""Observations, spread evenly over the newest, whose packages are counted: the very newest have none yet."""
PRODUCTS = 20
LOWEST_DEG = 20.0
"""Elevation from which a source counts as up."""


def view(viewer: Viewer, pk: int) -> Content:
    """Everything about a source that this person may view."""
    source = Source.objects.select_related("fixedsource", "solarsystemobject", "constantelevationsource").filter(pk=pk)
    source = source.first()
    if source is None:
        raise Http404(_("There is no such source."))
    specific = source.specific
    sections = [Section(_("Source"), (Facts(_facts(source, specific)),), "source"), _tonight_section(specific)]
    units = ObsUnit.objects.filter(source=source)
    if viewer.sees(ObsUnit):
        sections.append(_units_section(viewer, units))
    if viewer.sees(ExecutedObsUnit):
        executions = ExecutedObsUnit.objects.filter(obs_unit__in=units.values("pk"))
        sections.append(_executions_section(viewer, source, executions))
        keys = list(executions.order_by("-start_time").values_list("pk", flat=True)[: NEWEST + 1])
        summed = _newest_summed(keys)
        sections += _data_sections(viewer, summed, is_cut=len(keys) > len(summed))
    links = [
        (_("Form"), viewer.row_url(type(specific), source.pk)),
        (_("Sky"), viewer.page_url("sky")),
        (_("Where is it?"), viewer.page_url("where", q=source.name)),
    ]
    return Content(title=source.name, links=[link for link in links if link[1]], sections=sections)


def _facts(source, specific):
    yield _("kind"), source.get_type_display()
    yield _("aliases"), ", ".join(source.aliases)
    if isinstance(specific, FixedSource):
        ra, dec = specific.ra_deg, specific.dec_deg
        sexagesimal = f"{format_right_ascension(ra)} {format_declination(dec)}"
        yield _("RA, Dec (ICRS)"), f"{sexagesimal} ({ra:.5f}° {dec:+.5f}°)"
    if isinstance(specific, ConstantElevationSource):
        yield _("RA (ICRS)"), f"{specific.ra_min_deg:g}° – {specific.ra_max_deg:g}°"
        yield _("Dec (ICRS)"), f"{specific.dec_min_deg:+g}° – {specific.dec_max_deg:+g}°"
    yield _("comment"), source.comment


def _place(specific, moment):
    """RA and Dec, degrees; None for a body that the built-in ephemeris does not have."""
    try:
        position = specific.skycoord_at(moment) if hasattr(specific, "skycoord_at") else specific.skycoord
    except ValueError:
        return None
    return float(position.ra.deg), float(position.dec.deg)


def _tonight_section(specific):
    """When it is up in the night of the present, from noon to noon UTC."""
    title = _("Up in the night of %(date)s") % {"date": night_of(timezone.now())}
    telescope = Telescope.objects.order_by("name").first()
    if telescope is None:
        return Section(title, (paragraph(_("There is no telescope.")),), "tonight")
    start = datetime.combine(night_of(timezone.now()), time(12), tzinfo=UTC)
    end = start + timedelta(days=1)
    place = _place(specific, start + timedelta(hours=12))
    if place is None:
        return Section(title, (paragraph(_("The built-in ephemeris does not have it.")),), "tonight")
    times = [start + STEP * number for number in range(int((end - start) / STEP) + 1)]
    heights = [altitude(place, one, telescope.latitude_deg, telescope.longitude_deg) for one in times]
    up = list(spans_of(times, [height >= LOWEST_DEG for height in heights]))
    sky = NightSky(telescope, start, end)
    dark = sky.dark
    in_dark = [(max(a, dark[0]), min(b, dark[1])) for a, b in up if dark and a < dark[1] and b > dark[0]]
    highest = max(range(len(times)), key=heights.__getitem__)
    facts = [
        (_("telescope"), str(telescope)),
        (_("above %(lowest)g°") % {"lowest": LOWEST_DEG}, _hours(up) or _("never")),
        (_("of that while the sun is below −18°"), _hours(in_dark) or _("never")),
        (
            _("highest"),
            _("%(height).0f° at %(time)s UTC")
            % {"height": heights[highest], "time": format_time_of_day(times[highest])},
        ),
    ]
    return Section(title, (Facts(facts),), "tonight")


def _hours(spans):
    return ", ".join(f"{format_time_of_day(begin)}–{format_time_of_day(end)} UTC" for begin, end in spans)


def _units_section(viewer, units):
    done = Count("executions", filter=Q(executions__status=ObservationStatus.COMPLETED))
    found, more = capped(
        units.select_related("observing_program", "obs_mode").annotate(done=done).order_by("name", "pk"), UNITS
    )
    rows = [
        (
            viewer.lead(unit),
            viewer.lead(unit.observing_program),
            str(unit.obs_mode),
            unit.priority,
            f"{unit.done:,}",
            "–" if unit.requested_executions is None else f"{unit.requested_executions:,}",
        )
        for unit in found
    ]
    columns = (_("unit"), _("program"), _("mode"), _("priority"), _("completed observations"), _("requested"))
    note = first_of(UNITS) if more else ""
    table = Table(_("Observation units"), columns, rows, _("No unit looks at it."), note)
    return Section(_("Observation units"), (table,), "units")


def _executions_section(viewer, source, executions):
    spent = (
        executions.filter(end_time__isnull=False)
        .order_by()
        .values("quality")
        .annotate(number=Count("pk"), spent=Sum(F("end_time") - F("start_time")))
    )
    by_quality = {one["quality"]: one for one in spent}
    rows = [
        (
            quality.label,
            f"{by_quality[quality]['number']:,}",
            format_duration(by_quality[quality]["spent"].total_seconds()),
        )
        for quality in Quality
        if quality in by_quality
    ]
    hours = Table(
        _("Time by quality"),
        (_("quality"), _("observations"), _("time")),
        rows,
        _("Nothing was observed."),
        _("Of all observations that have ended, aborted and failed ones too.") if rows else "",
    )
    newest = executions.select_related("obs_unit__observing_program").order_by("-start_time")[:EXECUTIONS]
    table = execution_table(viewer, newest)
    every = viewer.list_url(ExecutedObsUnit, obs_unit__source__id__exact=source.pk)
    parts = (
        subheading(_("Time by quality")),
        hours,
        subheading(_("The newest")),
        table,
        paragraph(_all(every)),
    )
    return Section(_("Observations"), parts, "executions")


def _all(url):
    return format_html('<a href="{}">{}</a>', url, _("all observations"))


def _newest_summed(keys):
    """Return those of the observations, newest first, whose packages can be summed while a person waits."""
    newest = keys[:NEWEST]
    step = max(1, ceil(len(newest) / SAMPLE))
    packages = RawDataPackage.objects.filter(executed_obs_unit__in=newest[::step]).order_by()
    numbers = dict(packages.values_list("executed_obs_unit").annotate(number=Count("pk")))
    left = SUMMED_PACKAGES
    for place in range(0, len(newest), step):
        # Those up to the next of the sample have about as many.
        number = numbers.get(newest[place], 0)
        if step * number > left:
            return newest[: max(1, place + left // number)]
        left -= step * number
    return newest


def _data_sections(viewer, executions, *, is_cut):
    """Packages, where they are, and what was made of them."""
    note = _("Of the newest %(number)s observations.") % {"number": f"{len(executions):,}"} if is_cut else ""
    packages = RawDataPackage.objects.filter(executed_obs_unit__in=executions)
    if viewer.sees(RawDataPackage):
        sums = packages.aggregate(
            number=Count("pk"),
            files=Sum("file_count"),
            size=Sum("size_bytes"),
            archived=Count("pk", filter=Q(state=PackageState.ARCHIVED)),
        )
        facts = [
            (_("packages"), f"{sums['number']:,}"),
            (_("files in them"), f"{sums['files'] or 0:,}"),
            (_("volume"), human_size(sums["size"] or 0)),
            (_("archived"), f"{sums['archived']:,} / {sums['number']:,}"),
        ]
        yield Section(_("Raw data"), (Facts(facts), paragraph(note, "opsdb-note") if note else ""), "data")
    if viewer.sees(RawDataPackage, PhysicalCopy, DataLocation):
        yield _where_section(executions, note)
    if viewer.sees(DataProduct, RawDataPackage):
        runs = ExecutedReductionStepInputPackage.objects.filter(
            raw_data_package__executed_obs_unit__in=executions
        ).values("run")
        of_runs = DataProduct.objects.filter(run__in=runs).select_related("run__step__pipeline").order_by("-pk")
        products, more = capped(of_runs, PRODUCTS)
        rows = [
            (
                viewer.link(one),
                str(one.run.step),
                moment(one.created_at),
                one.get_type_display(),
                human_size(one.size_bytes or 0),
            )
            for one in products
        ]
        note = " ".join([note, first_of(PRODUCTS)] if more else [note])
        columns = (_("product"), _("step"), _("made [UTC]"), _("type"), _("size"))
        table = Table(_("Products"), columns, rows, _("No run has read its packages."), note.strip())
        yield Section(_("Products of runs that read its packages"), (table,), "products")


def _where_section(executions, note):
    copies = (
        PhysicalCopy.objects.readable()
        .filter(raw_data_package__executed_obs_unit__in=executions)
        .order_by()
        .values("data_location__site__short_name", "data_location__name")
        .annotate(number=Count("pk"), size=Sum("size_bytes"))
    )
    rows = sorted(
        (
            f"{one['data_location__site__short_name']}/{one['data_location__name']}",
            f"{one['number']:,}",
            human_size(one["size"] or 0),
        )
        for one in copies
    )
    columns = (_("location"), _("copies that can be read"), _("size"))
    table = Table(_("Where its packages are"), columns, rows, _("No copy can be read."), note)
    return Section(_("Where its packages are"), (table,), "where")


def _about(viewer, row):
    return viewer.page_url("source", row.pk) if isinstance(row, Source) else None


PAGE = AdminPage("source", ("<int:pk>/all/",), lazy("All about the source"), view, (Source,), of_row=True, about=_about)
