"""What people call the sub-groups of runs, whose keys name rows by their keys: ``executed_obs_unit=01a2…``."""

from collections.abc import Callable, Iterable

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    ExecutedObsUnit,
    ExecutedReductionStep,
    GroupingDimension,
    InstrumentModule,
    ObservingProgram,
    ObsUnit,
    Source,
)

from ..pages.viewer import Viewer
from .lists import KeyedChangeList
from .names import called, needed_by_name
from .values import Text

MODELS: dict[str, type[Model]] = {
    GroupingDimension.OBSERVING_PROGRAM: ObservingProgram,
    GroupingDimension.OBS_UNIT: ObsUnit,
    GroupingDimension.EXECUTED_OBS_UNIT: ExecutedObsUnit,
    GroupingDimension.SOURCE: Source,
    GroupingDimension.INSTRUMENT_MODULE: InstrumentModule,
}


def _values_of(key):
    """Yield the dimensions of the key of a sub-group, each with its value: ``source=12, night=2026-06-15``."""
    for part in key.split(", ") if key else ():
        dimension, _equals, value = part.partition("=")
        yield dimension, value


def call_sub_groups(keys: Iterable[str], sees: Callable[[type[Model]], bool]) -> dict[str, str]:
    """Return what people call sub-groups, by their keys. One query at most for each dimension.

    Args:
        keys: of the sub-groups.
        sees: returns whether the person may view rows of a model; what they may not view keeps its key.
    """
    keys = list(dict.fromkeys(keys))
    wanted: dict[str, set] = {}
    for key in keys:
        for dimension, value in _values_of(key):
            if dimension in MODELS and value != "none" and sees(MODELS[dimension]):
                try:
                    wanted.setdefault(dimension, set()).add(MODELS[dimension]._meta.pk.to_python(value))
                except ValidationError:
                    continue
    names = {
        (dimension, str(row.pk)): called(row)
        for dimension, primary_keys in wanted.items()
        for row in MODELS[dimension]
        ._default_manager.select_related(*(needed_by_name(MODELS[dimension]) or [None]))
        .filter(pk__in=primary_keys)
    }
    return {
        key: " · ".join(names.get(one) or f"{one[0].replace('_', ' ')} {one[1]}".strip() for one in _values_of(key))
        for key in keys
    }


class RunChangeList(KeyedChangeList):
    """A list of runs, whose sub-groups are called as people call them."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page, and what its sub-groups are called."""
        super().get_results(request)
        viewer = Viewer(request, self.model_admin.admin_site)
        names = call_sub_groups((run.sub_group_key for run in self.result_list), viewer.sees)
        for run in self.result_list:
            run.opsdb_sub_group = names[run.sub_group_key]


class SubGroupMixin:
    """Mixin of the admin of runs."""

    def get_changelist(self, request: HttpRequest, **kwargs) -> type[ChangeList]:
        return RunChangeList

    @admin.display(description=lazy("sub-group"))
    def sub_group(self, run: ExecutedReductionStep) -> Text:
        """What of the packages the run is for: an observation, a module, a night and so on."""
        name = getattr(run, "opsdb_sub_group", "") or run.sub_group_key
        if not name:
            return self.get_empty_value_display()
        return format_html('<span title="{}">{}</span>', run.sub_group_key, name)

    sub_group.needs = ()
