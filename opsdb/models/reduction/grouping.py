"""Data groupings: which raw data packages belong together, and how they are split."""

from datetime import UTC, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import json_list

from ..base import NumberedModel
from ..data.raw_packages import RawDataPackage, RawDataPackageQuerySet
from ..enums import GroupingDimension
from ..observatory import InstrumentModule
from .filter_rules import conditions, rules_are_known

__all__ = [
    "DataGrouping",
]


# What the packages of a sub-group have in common, by dimension. A night begins at noon (UTC).
DIMENSIONS = {
    GroupingDimension.OBSERVING_PROGRAM: F("executed_obs_unit__obs_unit__observing_program_id"),
    GroupingDimension.OBS_UNIT: F("executed_obs_unit__obs_unit_id"),
    GroupingDimension.EXECUTED_OBS_UNIT: F("executed_obs_unit_id"),
    GroupingDimension.SOURCE: F("executed_obs_unit__obs_unit__source_id"),
    GroupingDimension.INSTRUMENT_MODULE: F("instrument_module_id"),
    GroupingDimension.NIGHT: TruncDate(F("executed_obs_unit__start_time") - timedelta(hours=12), tzinfo=UTC),
}


class DataGrouping(NumberedModel):
    """A rule for which raw packages belong together.

    Pipelines refer to it; the module ``filter_rules`` defines its rules. Membership is not stored but queried by
    ``packages()``.
    """

    natural_key_fields = ("name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Name of the grouping, unique."))
    description = models.TextField(blank=True, default="", help_text=_("Data that the grouping selects."))
    filter_rules = models.JSONField(
        default=list,
        blank=True,
        help_text=_("A JSON list of {table, column, operator, value, json_path}; all must hold."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="data_groupings",
        help_text=_("Only packages of this module, if set."),
    )

    class Meta:
        constraints = [json_list("filter_rules"), rules_are_known()]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            conditions(self.filter_rules)
        except ValidationError as error:
            raise ValidationError({"filter_rules": error.messages}) from None

    def packages(self) -> RawDataPackageQuerySet:
        """Return the raw data packages that the rules hold for, and that are of the module if there is one.

        Raises:
            ValidationError: a rule is wrong.
        """
        packages = RawDataPackage.objects.all()
        if self.instrument_module_id is not None:
            packages = packages.filter(instrument_module=self.instrument_module_id)
        for condition in conditions(self.filter_rules):
            packages = packages.filter(condition.q)
        return packages
