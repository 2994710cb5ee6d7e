"""What a demonstration uses of the database, once it is clear that it may be one to demonstrate on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from opsdb import conf
from opsdb.models import DataLocation, ExecutedObsUnit, InstrumentModule, PreScheduledSlot
from opsdb.workflows import OpsdbError

from .facts import INSTRUMENT, MARK, MODULES_PER_OBSERVATION, ORIGIN


class CannotDemonstrate(OpsdbError):
    """The database is not suitable for a demonstration."""


@dataclass(frozen=True)
class DemoSetting:
    """Rows that a demonstration uses.

    Attributes:
        schedule: slots that no demonstration has added.
        source: location of the instrument's files.
        modules: those that write files.
        archives: active archives.
        processing: where data are reduced.
        requester, approver: users who request and approve deletions.
    """

    schedule: Any
    source: DataLocation
    modules: list[InstrumentModule]
    archives: list[DataLocation]
    processing: DataLocation
    requester: Any
    approver: Any

    @classmethod
    def find(cls) -> DemoSetting:
        """Return the setting; its two users are created if they are missing.

        Raises:
            CannotDemonstrate: the database has real observations, or lacks a schedule or reference data.
        """
        if ExecutedObsUnit.objects.exclude(conditions__contains=MARK).exists():
            raise CannotDemonstrate("this database holds observations that are not of a demonstration; use another one")
        schedule = PreScheduledSlot.objects.exclude(origin=ORIGIN)
        if not schedule.exists():
            raise CannotDemonstrate(
                "there is no schedule; run `manage.py opsdb_init` and `manage.py opsdb_load slots FILE` first"
            )
        modules = InstrumentModule.objects.available().filter(instrument__name=INSTRUMENT).order_by("name")
        archives = list(DataLocation.objects.archives().active().order_by("pk"))
        processing = DataLocation.objects.processing().active().order_by("pk").first()
        if not modules or not archives or not processing:
            raise CannotDemonstrate(
                "the reference data lack modules, archives or a processing location; run `manage.py opsdb_init`"
            )
        if len(archives) < (needed := conf.get("OPSDB_MIN_ARCHIVE_COPIES")):
            raise CannotDemonstrate(
                f"OPSDB_MIN_ARCHIVE_COPIES is {needed}, but there are {len(archives)} active archives, so that nothing "
                "could ever be deleted; lower the setting, or add archives"
            )
        approver = _user("demo-manager")
        approver.user_permissions.add(
            *Permission.objects.filter(codename__in=["approve_deletionrequest", "execute_deletionrequest"])
        )
        return cls(
            schedule=schedule,
            source=DataLocation.objects.sources().active().get(instrument__name=INSTRUMENT),
            modules=list(modules[:MODULES_PER_OBSERVATION]),
            archives=archives,
            processing=processing,
            requester=_user("demo-operator"),
            approver=approver,
        )


def _user(name):
    """Return a user who can't log in."""
    users = get_user_model()._default_manager
    try:
        return users.get_by_natural_key(name)
    except get_user_model().DoesNotExist:
        return users.create_user(name)
