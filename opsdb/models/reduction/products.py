"""Data products: the files that runs make."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, differ, json_object, relative_path
from opsdb.database.indexes import Index, by_checksum, by_part_of_path
from opsdb.database.triggers import FrozenOnceVerified, Immutable, Trigger

from ..base import Checksummed, NumberedModel, OpsQuerySet, checksummed_constraints
from ..data.transfer_packages import VERIFIED_COLUMNS
from ..enums import DataProductType
from ..managers import manager_of
from .lineage import Lineage, downstream, lineage
from .runs import ExecutedReductionStep

__all__ = [
    "DataProduct",
]


class DataProductQuerySet(OpsQuerySet["DataProduct"]):
    def current(self) -> Self:
        """Products that no other product replaces."""
        return self.filter(superseded_by__isnull=True)

    def of_run(self, run: ExecutedReductionStep) -> Self:
        """Products that this run made."""
        return self.filter(run=run)


class DataProduct(Checksummed, NumberedModel):
    """A file that a run made: a map, a spectrum, a plot, a number, a log.

    ``lineage()`` leads back to the raw files that it was made of. Where its bytes are is in its ``PhysicalCopy`` rows.
    """

    run = models.ForeignKey(
        ExecutedReductionStep,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="products",
        help_text=_("Run that made the product."),
    )
    type = models.CharField(
        max_length=20, choices=DataProductType, help_text=_("Kind of content, such as science data or a plot.")
    )
    name = models.CharField(max_length=255, help_text=_("Name of the product, as lists show it."))
    relative_path = models.CharField(max_length=1000, help_text=_("Path relative to the location, unique in the run."))
    quality_metrics = models.JSONField(
        default=dict, blank=True, help_text=_("Measures of the product's quality, a JSON object.")
    )
    intermediate = models.BooleanField(default=False, help_text=_("Whether the product only serves later steps."))
    superseded_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="supersedes",
        help_text=_("Product that replaces this one."),
    )

    objects = manager_of(DataProductQuerySet)

    class Meta:
        verbose_name = _("product")
        constraints = [
            *checksummed_constraints(),
            Unique(
                "unique_path",
                "run",
                "relative_path",
                message="The run has a product of this path; choose another.",
            ),
            relative_path(),
            json_object("quality_metrics"),
            differ("id", "superseded_by", "A product can't supersede itself; choose another product."),
            Trigger(
                "superseded_in_line",
                "opsdb_superseded_in_line",
                events="INSERT OR UPDATE OF superseded_by_id",
                when="NEW.superseded_by_id IS NOT NULL AND NEW.superseded_by_id <> NEW.id",
                field="superseded_by",
            ),
            Immutable("run_id"),
            FrozenOnceVerified("data_product", *VERIFIED_COLUMNS),
        ]
        indexes = [
            Index(fields=["relative_path"], name="by_path", opclasses=["varchar_pattern_ops"]),
            Index(fields=["name"], name="by_name", opclasses=["varchar_pattern_ops"]),
            by_checksum(),
            by_part_of_path(),
        ]

    def __str__(self) -> str:
        return self.name

    def lineage(self) -> Lineage:
        """Return what it was made of: runs and products back to the raw packages and their files, in one query."""
        return lineage(self)

    def downstream(self) -> Lineage:
        """Return what was made of it: runs and products, in one query."""
        return downstream(self)
