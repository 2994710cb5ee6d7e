"""Actions on transfers from site to site."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from opsdb.models import Status
from opsdb.row_labels import place_of
from opsdb.workflows import fail_transfer, reroute_transfer, reset_transfer, reset_unpacking

from ..kit.actions import Action, unless_in
from .work import SETTLE, give_up_by, reset_by


def _describe_hops(hops):
    return gettext("Planned instead: %s") % ", ".join(
        f"{place_of(hop.origin_location)} → {place_of(hop.destination_location)}" for hop in hops
    )


RETRY_UNPACKING = Action(
    name="retry_unpacking",
    label=_("Retry unpacking only"),
    about=_("What has arrived is unpacked again where it is, and not transferred again."),
    run=lambda transfer, order: reset_unpacking(transfer),
    unless=unless_in(
        "unpack_status",
        Status.FAILED,
        Status.IN_PROGRESS,
        because=_("Its unpacking is %(state)s: only failed unpacking, or one whose worker is gone, is reset."),
    ),
)
REROUTE = Action(
    name="reroute",
    label=_("Reroute"),
    about=_("A transfer that failed or has not begun is cancelled; its package takes a route that is active now."),
    run=lambda transfer, order: reroute_transfer(transfer),
    report=_describe_hops,
    unless=unless_in(
        "status",
        Status.FAILED,
        *Status.claimable(),
        because=_("It is %(state)s: only what failed or has not begun is rerouted."),
    ),
)
TRANSFER_ACTIONS = (
    reset_by(reset_transfer),
    RETRY_UNPACKING,
    REROUTE,
    give_up_by(fail_transfer),
    SETTLE,
)
