"""Who does the next step, in words for people."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

NOBODY = "nobody"
MANAGER = "manager"
OPERATOR = "operator"
APPROVER = "approver"
TELESCOPE = "telescope"
INSTRUMENT = "instrument"
CLUSTER = "cluster"
WORKER_AT = "worker at queue "
_WHO = {
    NOBODY: lazy("nobody"),
    MANAGER: lazy("the manager process (automatic)"),
    OPERATOR: lazy("an operator: somebody who may do that, such as the role admin"),
    APPROVER: lazy(
        "an approver: somebody with the permission opsdb.approve_deletionrequest, such as the role approver"
    ),
    TELESCOPE: lazy("the program that runs the telescope (automatic)"),
    INSTRUMENT: lazy("the program of the instrument (automatic)"),
    CLUSTER: lazy("the cluster that runs the jobs (automatic)"),
}
# What the admin asks of who does, by its action, what a function does.
PERMISSIONS = {
    "cancel_deletion": "change_physicalcopy",
    "cancel_run": "change_executedreductionstep",
    "execute_deletion_request": "execute_deletionrequest",
    "enable_resource": "change_datalocation",
    "plan_repairs": "add_longtermarchivetransfer",
    "plan_runs": "add_executedreductionstep",
    "record_fixity": "add_fixitycheck",
    "release_staging": "change_stagingjob",
    "remake_product": "add_executedreductionstep",
    "repair_package": "add_longtermarchivetransfer",
    "request_deletion": "add_deletionrequest",
    "reroute_transfer": "change_datatransfer",
    "reset_archive_transfer": "change_longtermarchivetransfer",
    "reset_bundling": "change_datatransferpackage",
    "reset_deletion": "change_physicalcopy",
    "reset_packaging": "change_rawdatapackage",
    "reset_run": "change_executedreductionstep",
    "reset_staging": "change_stagingjob",
    "reset_transfer": "change_datatransfer",
    "reset_unpacking": "change_datatransfer",
    "restore_copy": "change_physicalcopy",
    "use_newer_products": "change_executedreductionstep",
    "write_off_copy": "change_physicalcopy",
}
_FUNCTION = re.compile(r"\bopsdb\.workflows\.(\w+)")


def in_words(who: str, next_step: str) -> str:
    """Return who does a step, in the active language.

    Args:
        who: as explanations name them.
        next_step: the step; the functions that it names need permissions.
    """
    if who not in _WHO:
        return _("worker at queue %(queue)s") % {"queue": who.removeprefix(WORKER_AT)}
    found = [PERMISSIONS[name] for name in _FUNCTION.findall(next_step) if name in PERMISSIONS]
    if who != OPERATOR or not found:
        return str(_WHO[who])
    names = ", ".join(f"opsdb.{name}" for name in dict.fromkeys(found))
    if len({*found}) == 1:
        return _("an operator: somebody with the permission %(name)s, such as the role admin") % {"name": names}
    return _("an operator: somebody with one of the permissions %(names)s, such as the role admin") % {"names": names}
