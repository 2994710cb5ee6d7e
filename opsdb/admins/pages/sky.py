"""The sky: where the sources and fields of each program are."""

from collections import Counter

from django.db.models import Count
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.models import ConstantElevationSource, FixedSource, ObservingProgram, ObsUnit, SolarSystemObject, Source

from ..drawings.sky_map import OTHERS, Area, Point, cell_of, legend_sign, line_sign, sky_map
from .parts import Content, Figure, Question, Section, Table, capped, first_of, paragraph
from .viewer import AdminPage, Viewer

SOURCES_READ = 5_000
DRAWN_SINGLY = 1_500
FIELDS = 300
CELL_DEG = 8.0
ROWS = 200
PROGRAMS = 100


def view(viewer: Viewer) -> Content:
    """The map, for all programs or one of them."""
    programs = _programs(viewer)
    code = viewer.request.GET.get("program", "")
    chosen = next((program for program in programs if program.short_name == code), None)
    center = 180 if viewer.request.GET.get("center") == "12" else 0
    questions = [
        Question(
            "center",
            _("Centre"),
            "12" if center else "0",
            type="select",
            choices=[("0", _("RA 0 h")), ("12", _("RA 12 h"))],
        )
    ]
    if programs:
        choices = [("", _("all programs")), *((program.short_name, str(program)) for program in programs)]
        questions.insert(0, Question("program", _("Program"), code, type="select", choices=choices))
    message = "" if chosen or not code else _("There is no program %(code)s with sources.") % {"code": code}
    looks = {program.pk: min(place, OTHERS) for place, program in enumerate(programs)}
    fixed, more_fixed = capped(_of(viewer, FixedSource, chosen).only("name", "ra_deg", "dec_deg"), SOURCES_READ)
    fields, more_fields = capped(_of(viewer, ConstantElevationSource, chosen), FIELDS)
    moving, more_moving = capped(_of(viewer, SolarSystemObject, chosen), ROWS)
    users = _users(viewer, fixed, fields, moving)
    names = {program.pk: str(program) for program in programs}

    def look_of(source):
        using = [chosen.pk] if chosen else users.get(source.pk, ())
        return min((looks[program] for program in using if program in looks), default=OTHERS)

    def programs_of(source):
        return ", ".join(sorted(names[program] for program in users.get(source.pk, ()) if program in names))

    def describe(source, where):
        of = programs_of(source)
        return f"{source.name}, {where}" + (f" ({of})" if of else "")

    if len(fixed) > DRAWN_SINGLY:
        points = _clusters(viewer, fixed, look_of, chosen)
    else:
        points = [
            Point(
                source.ra_deg,
                source.dec_deg,
                look_of(source),
                describe(source, _place(source)),
                viewer.row_url(FixedSource, source.pk),
            )
            for source in fixed
        ]
    areas = [
        Area(
            field.ra_min_deg,
            field.ra_max_deg,
            field.dec_min_deg,
            field.dec_max_deg,
            look_of(field),
            describe(field, _extent(field)),
            viewer.row_url(ConstantElevationSource, field.pk),
        )
        for field in fields
    ]
    used = {point.look for point in points} | {area.look for area in areas}
    rows = [
        *((viewer.link(field), _("field"), _extent(field), programs_of(field)) for field in fields[:ROWS]),
        *((viewer.link(source), _("fixed"), _place(source), programs_of(source)) for source in fixed[:ROWS]),
    ]
    more_rows = len(fixed) + len(fields) > ROWS
    sources = Table(
        _("Sources and fields"),
        (_("source"), _("kind"), _("where"), _("programs")),
        rows[:ROWS],
        _("There are no sources yet."),
        note=first_of(ROWS) if more_rows else "",
        more=viewer.list_url(Source) if more_rows else None,
    )
    figure = Figure(
        "sky",
        _("Map of the sky"),
        sky_map(
            points,
            areas,
            name="sky-map",
            title=_("Map of the sky"),
            description=_(
                "The whole sky in an equal-area projection, right ascension growing to the left: %(sources)s sources"
                " and %(fields)s fields."
            )
            % {"sources": f"{len(fixed):,}", "fields": f"{len(fields):,}"},
            center_ra_deg=center,
        ),
        legend=_legend(viewer, programs, looks, used),
        table=sources,
        notes=_notes(len(fixed), more_fixed, more_fields),
    )
    movers = Table(
        _("What moves among the stars"),
        (_("source"), _("ephemeris"), _("programs")),
        [(viewer.link(one), one.ephemeris_name, programs_of(one)) for one in moving],
        _("None."),
        note=first_of(ROWS) if more_moving else "",
    )
    return Content(
        questions=questions,
        message=message,
        sections=(
            Section(_("Sources and fields"), (figure,), "map"),
            Section(
                _("Not on the map"),
                (paragraph(_("Sun, moon and planets move; their ephemeris gives their positions.")), movers),
                "moving",
            ),
        ),
    )


def _programs(viewer):
    """Programs with sources, those with most of them first, as far as the person may view them."""
    if not viewer.sees(ObservingProgram, ObsUnit):
        return []
    return list(
        ObservingProgram.objects.annotate(sources=Count("obs_units__source", distinct=True))
        .filter(sources__gt=0)
        .order_by("-sources", "short_name")[:PROGRAMS]
    )


def _of(viewer, model, program):
    """Sources of a kind, of one program or of all, that the person may view."""
    if not viewer.sees(model):
        return model.objects.none()
    sources = model.objects.order_by("pk")
    if program is not None:
        sources = sources.filter(pk__in=ObsUnit.objects.filter(observing_program=program).values("source"))
    return sources


def _users(viewer, *kinds):
    """Programs by source."""
    if not viewer.sees(ObservingProgram, ObsUnit):
        return {}
    keys = [source.pk for kind in kinds for source in kind]
    users = {}
    found = ObsUnit.objects.filter(source__in=keys).order_by()
    for source, program in found.values_list("source_id", "observing_program_id").distinct():
        users.setdefault(source, []).append(program)
    return users


def _clusters(viewer, sources, look_of, program):
    """One point for the sources of a cell, in their middle, with the sign of most of them."""
    of_program = {} if program is None else {"obs_units__observing_program__id__exact": program.pk}
    cells = {}
    for source in sources:
        cells.setdefault(cell_of(source.ra_deg, source.dec_deg, CELL_DEG), []).append(source)
    points = []
    for members in cells.values():
        look = Counter(map(look_of, members)).most_common(1)[0][0]
        first = members[0]
        if len(members) == 1:
            href = viewer.row_url(FixedSource, first.pk)
            points.append(Point(first.ra_deg, first.dec_deg, look, f"{first.name}, {_place(first)}", href))
            continue
        # Cells don't span RA 0, so that the mean is among them.
        ra = sum(one.ra_deg for one in members) / len(members)
        dec = sum(one.dec_deg for one in members) / len(members)
        bounds = {
            "ra_deg__gte": min(one.ra_deg for one in members),
            "ra_deg__lte": max(one.ra_deg for one in members),
            "dec_deg__gte": min(one.dec_deg for one in members),
            "dec_deg__lte": max(one.dec_deg for one in members),
        }
        description = ngettext(
            "%(number)s source about %(place)s", "%(number)s sources about %(place)s", len(members)
        ) % {
            "number": len(members),
            "place": _degrees(ra, dec),
        }
        points.append(
            Point(ra, dec, look, description, viewer.list_url(FixedSource, **bounds, **of_program), len(members))
        )
    return points


def _degrees(ra, dec):
    return f"RA {ra:.2f}° Dec {dec:+.2f}°"


def _place(source):
    return _degrees(source.ra_deg, source.dec_deg)


def _extent(field):
    return _("RA %(ra_min_deg)g° to %(ra_max_deg)g°, Dec %(dec_min_deg)+g° to %(dec_max_deg)+g°") % {
        name: getattr(field, name) for name in ("ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg")
    }


def _legend(viewer, programs, looks, used):
    legend = []
    for program in programs:
        look = looks[program.pk]
        if look in used and look < OTHERS:
            url = viewer.page_url("sky", program=program.short_name)
            legend.append((legend_sign(look), format_html('<a href="{}">{}</a>', url, program)))
    if OTHERS in used:
        legend.append((legend_sign(OTHERS), _("other programs, or none") if programs else _("sources")))
    legend.append((line_sign("galactic"), _("galactic plane")))
    legend.append((line_sign("ecliptic"), _("ecliptic")))
    return legend


def _notes(number, more_fixed, more_fields):
    notes = []
    if number > DRAWN_SINGLY:
        notes.append(_("Sources that are close are drawn together: their number, in the sign of most of them."))
    if more_fixed:
        text = _("Only the first %(limit)s sources are on the map; choose a program to see all of its own.")
        notes.append(text % {"limit": f"{SOURCES_READ:,}"})
    if more_fields:
        notes.append(_("Only the first %(limit)s fields are on the map.") % {"limit": FIELDS})
    return notes


PAGE = AdminPage(
    "sky",
    ("sky/",),
    lazy("Sky"),
    view,
    (Source, FixedSource, ConstantElevationSource, SolarSystemObject),
)
