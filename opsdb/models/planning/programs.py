"""Observing programs and their parts."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, Unique
from opsdb.database.triggers import Immutable

from ..base import NumberedModel, OpsQuerySet
from ..enums import ProgramKind
from ..managers import manager_of
from ..observatory import Instrument
from ..renaming import former_names, renaming_constraints

__all__ = [
    "ObservingProgram",
    "SubObservingProgram",
]


class ObservingProgramQuerySet(OpsQuerySet["ObservingProgram"]):
    def active(self) -> Self:
        """Programs that still observe."""
        return self.filter(active=True)

    def science(self) -> Self:
        """Programs that are not calibration or engineering."""
        return self.filter(kind=ProgramKind.SCIENCE)


class ObservingProgram(NumberedModel):
    """A project that observes towards one goal, or the calibration and engineering beside it.

    Observation units, allocated time, releases and publications refer to it. Its parts are sub-programs.
    """

    natural_key_fields = ("short_name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Full name, unique."))
    short_name = models.CharField(
        max_length=50, unique=True, help_text=_("Code used in file names and lists, such as GEco.")
    )
    former_names = former_names()
    kind = models.CharField(
        max_length=20,
        choices=ProgramKind,
        default=ProgramKind.SCIENCE,
        help_text=_("Whether the program observes for science or for a technical purpose."),
    )
    description = models.TextField(blank=True, default="", help_text=_("Scientific or technical goal of the program."))
    lead = models.TextField(blank=True, default="", help_text=_("Person or team that leads the program."))
    contact_email = models.EmailField(blank=True, default="", help_text=_("Address for questions about the program."))
    instruments = models.ManyToManyField(
        Instrument,
        blank=True,
        related_name="observing_programs",
        help_text=_("Instruments that the program observes with."),
    )
    active = models.BooleanField(default=True, help_text=_("Whether the program still observes."))

    objects = manager_of(ObservingProgramQuerySet)

    class Meta:
        constraints = [
            Check(
                "short_name_format",
                Q(short_name__regex=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
                "The code must be letters, digits, '.', '_' or '-'.",
                "short_name",
            ),
            *renaming_constraints("short_name"),
        ]

    def __str__(self) -> str:
        return self.short_name


class SubObservingProgram(NumberedModel):
    """A part of an observing program with units of its own."""

    natural_key_fields = ("observing_program", "short_name")

    observing_program = models.ForeignKey(
        ObservingProgram,
        on_delete=models.PROTECT,
        related_name="sub_programs",
        help_text=_("Program that the sub-program is a part of."),
    )
    name = models.CharField(max_length=200, help_text=_("Full name, unique in the program."))
    short_name = models.CharField(max_length=50, help_text=_("Code, unique in the program."))
    former_names = former_names()
    description = models.TextField(
        blank=True, default="", help_text=_("Scientific or technical goal of the sub-program.")
    )

    class Meta:
        verbose_name = _("sub-observing program")
        constraints = [
            Unique(
                "unique_name",
                "observing_program",
                "name",
                message="The program has a sub-program of this name; choose another.",
            ),
            Unique(
                "unique_short_name",
                "observing_program",
                "short_name",
                message="The program has a sub-program of this code; choose another.",
            ),
            *renaming_constraints("short_name"),
            Immutable("observing_program_id"),
        ]

    def __str__(self) -> str:
        return self.short_name
