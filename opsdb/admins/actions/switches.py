"""Actions on what is active or inactive: locations, routes and pipelines."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from opsdb.workflows import enable_resource, get_switch_field, pause_resource, validate_topology

from ..kit.actions import Action


def _topology_problems():
    return [str(problem) for problem in validate_topology(credentials=False)]


def _is_active(row) -> bool:
    return getattr(row, get_switch_field(type(row)))


PAUSE = Action(
    name="pause",
    label=_("Pause"),
    about=_("It becomes inactive: what is under way continues, and nothing new is planned there."),
    run=lambda row, order: pause_resource(row),
    unless=lambda row: "" if _is_active(row) else gettext("It is paused already."),
    watch=_topology_problems,
)
ENABLE = Action(
    name="enable",
    label=_("Enable"),
    about=_("It becomes active again."),
    run=lambda row, order: enable_resource(row),
    unless=lambda row: gettext("It is active already.") if _is_active(row) else "",
    watch=_topology_problems,
)
SWITCH_ACTIONS = (PAUSE, ENABLE)
