"""What a search found, as links that a person may follow."""

from collections.abc import Iterable, Sequence
from datetime import date
from operator import attrgetter

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_minute
from opsdb.models import (
    ConstantElevationSource,
    DataGrouping,
    DataLocation,
    DataProduct,
    DataRelease,
    DataTransferPackage,
    ExecutedObsUnit,
    FixedSource,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    ObservationConfiguration,
    Observatory,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    Pipeline,
    Publication,
    RawDataFile,
    RawDataPackage,
    ReductionSoftware,
    ReductionStep,
    ReductionStepConfig,
    Role,
    Site,
    Source,
    SubObservingProgram,
    Telescope,
)
from opsdb.row_labels import row_names, tables
from opsdb.workflows import Match, MatchedBy, SearchHit

from ..kit.names import called, named, needed_by_name
from ..kit.values import Text
from .executions import name_of
from .viewer import Viewer

_NAME = lazy("name, whole or part, in any spelling")
_BEHIND = lazy("name, alone or behind that of what it is a part of, whole or part")
# What is looked at of each kind, and how.
HOW = {
    Source: lazy("name and aliases, whole or part, in any spelling"),
    FixedSource: lazy("coordinates, within 30′ or the radius that you give"),
    ConstantElevationSource: lazy("coordinates inside the field"),
    ObservingProgram: lazy("code and name, whole or part"),
    DataLocation: lazy("name, alone or behind that of its site, whole or part"),
    ObsUnit: lazy("name, whole or part"),
    ExecutedObsUnit: lazy("UUID, night, minute, and the unit or source beside a date"),
    RawDataPackage: lazy("UUID, checksum, name, any part of its path"),
    DataTransferPackage: lazy("UUID, checksum, name, any part of its path"),
    DataProduct: lazy("checksum, beginning of its name, any part of its path"),
    RawDataFile: lazy(
        "UUID, checksum, whole file name, beginning of its path; other parts among the newest 20,000 files and, "
        "where you type a date, among those of that date"
    ),
    Observatory: _NAME,
    Telescope: _NAME,
    Instrument: _NAME,
    InstrumentModule: _BEHIND,
    InstrumentModuleConfiguration: _BEHIND,
    SubObservingProgram: _BEHIND,
    ObsMode: _NAME,
    ObservationConfiguration: _NAME,
    Site: _NAME,
    DataGrouping: _NAME,
    Pipeline: _NAME,
    ReductionStep: _BEHIND,
    ReductionSoftware: _NAME,
    ReductionStepConfig: _NAME,
    DataRelease: _NAME,
    Publication: lazy("title, whole or part"),
    get_user_model(): lazy("username, name and e-mail address, whole or part"),
    Role: _NAME,
}
SEARCHED = tuple(dict.fromkeys((*HOW, *tables().values())))
# The rows whose names are parts of the name of a row.
_NAMED_AFTER = {
    RawDataPackage: (ObsUnit, ExecutedObsUnit, InstrumentModule),
    DataTransferPackage: (DataLocation,),
}
# Rows whose keys mean little to people, and the columns that their names are made of.
_CALLED = {
    RawDataPackage: needed_by_name(RawDataPackage),
    DataTransferPackage: needed_by_name(DataTransferPackage),
    ExecutedObsUnit: ["obs_unit__observing_program"],
}
# What a row is a part of, which is named before it: by the models that a person must see, outermost first.
_PARTS_OF = {
    ObsUnit: {ObservingProgram: "observing_program"},
    SubObservingProgram: {ObservingProgram: "observing_program"},
    InstrumentModule: {Instrument: "instrument"},
    InstrumentModuleConfiguration: {
        Instrument: "instrument_module.instrument",
        InstrumentModule: "instrument_module",
    },
    ReductionStep: {Pipeline: "pipeline"},
}
_BY = {
    MatchedBy.KEY: lazy("key"),
    MatchedBy.UUID: lazy("UUID"),
    MatchedBy.CHECKSUM: lazy("checksum"),
    MatchedBy.NAME: lazy("name"),
    MatchedBy.ALIAS: lazy("alias"),
    MatchedBy.PATH: lazy("path"),
    MatchedBy.POSITION: lazy("position"),
    MatchedBy.DATE: lazy("date"),
    MatchedBy.SOURCE: lazy("source"),
    MatchedBy.UNIT: lazy("observation unit"),
    MatchedBy.OBSERVATION: lazy("observation"),
}
_MATCHES = {
    Match.WHOLE: lazy("%(by)s"),
    Match.BEGINNING: lazy("beginning of the %(by)s"),
    Match.PART: lazy("part of the %(by)s"),
    Match.RELATED: lazy("belongs to the %(by)s"),
}


def row_url(viewer: Viewer, row: Model | date) -> str | None:
    """Return the address of what was found, or None when the person may not open it."""
    if isinstance(row, date):
        return viewer.page_url("night", row)
    return viewer.page_url_of(row) if viewer.sees(type(row)) else None


def row_text(viewer: Viewer, row: Model | date) -> Text:
    """Return what was found as a link."""
    return format_html('<a href="{}">{}</a>', row_url(viewer, row), _label(viewer, row))


def _label(viewer, row):
    if isinstance(row, date):
        return _("Night of %(date)s") % {"date": row}
    if isinstance(row, ExecutedObsUnit):
        return f"{name_of(viewer, row)} · {format_minute(row.start_time)}"
    path = _PARTS_OF.get(type(row), {})
    if path and viewer.sees(*path):
        return " / ".join(str(part) for part in (*(attrgetter(name)(row) for name in path.values()), row))
    return called(row) if viewer.sees(*_NAMED_AFTER.get(type(row), ())) else str(row)


def link_rows(viewer: Viewer, names: Iterable[str]) -> dict[str, Text]:
    """Return links to rows by their tables and keys; packages, bundles and observations are called by their names.

    Three queries at most, one for each of these kinds.
    """
    links = {name: viewer.link_names(name) for name in names}
    for model, needed in _CALLED.items():
        table = model._meta.db_table
        keys = [name.partition(" ")[2] for name in links if name.partition(" ")[0] == table]
        if keys and viewer.sees(model):
            for row in model.objects.select_related(*needed).filter(pk__in=keys):
                text = f"{kind_text(row)} {_label(viewer, row)}"
                links[f"{table} {row.pk}"] = viewer.link(row, text)
    return links


def link_texts(viewer: Viewer, texts: Sequence[str]) -> list[Text]:
    """Return texts with the rows that they name as links, called as people call them. As many queries as for one."""
    found = (name for text in texts if viewer.sees_names(text) for name in row_names().finditer(text))
    links = link_rows(viewer, dict.fromkeys(one[0] for one in found if one[0].islower()))
    return [viewer.link_names(text, links) for text in texts]


def with_called(viewer: Viewer, model: type[Model]) -> QuerySet:
    """Return all rows of a model with what they are called after, as far as the person may see it."""
    rows = model._default_manager.all()
    named_after = _NAMED_AFTER.get(model)
    return rows.select_related(*needed_by_name(model)) if named_after and viewer.sees(*named_after) else rows


def link_called(viewer: Viewer, row: Model | None) -> Text:
    """Return a package or bundle as a link that has what people call it, if that was loaded, and its own name."""
    if row is None or not viewer.sees(*_NAMED_AFTER.get(type(row), ())):
        return viewer.link(row)
    return viewer.link(row, named(row))


def kind_text(row: Model | date) -> Text:
    """Return what kind of row was found."""
    return _("night") if isinstance(row, date) else row._meta.verbose_name


def match_text(hit: SearchHit) -> Text:
    """Return what of a row matches, and how well."""
    if hit.by == MatchedBy.POSITION:
        return _("%(distance)s away") % {"distance": _angle(float(hit.detail))} if hit.detail else _("in this field")
    by = _BY[hit.by] if not hit.detail else f"{_BY[hit.by]} “{hit.detail}”"
    return _MATCHES[hit.match] % {"by": by}


def _angle(degrees):
    if degrees >= 1:
        return f"{degrees:.1f}°"
    return f"{60 * degrees:.1f}′" if degrees >= 1 / 60 else f"{3600 * degrees:.0f}″"


def full_name(row: Model | date) -> str:
    """Return the whole name of a row that people call otherwise; empty where they do not."""
    return row.relative_path if isinstance(row, RawDataPackage | DataTransferPackage) else ""
