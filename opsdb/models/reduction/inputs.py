"""What runs read: raw data packages and data products."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique
from opsdb.database.triggers import Immutable

from ..base import OpsModel
from ..data.raw_packages import RawDataPackage
from .products import DataProduct
from .runs import ExecutedReductionStep

__all__ = [
    "ExecutedReductionStepInputPackage",
    "ExecutedReductionStepInputProduct",
]


class ExecutedReductionStepInputPackage(OpsModel):
    """One raw package that a run read. It can't be deleted while the run exists."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    run = models.ForeignKey(
        ExecutedReductionStep,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="+",
        help_text=_("Run that reads the package."),
    )
    raw_data_package = models.ForeignKey(
        RawDataPackage, on_delete=models.PROTECT, related_name="+", help_text=_("Package that the run reads.")
    )

    class Meta:
        verbose_name = _("input package")
        verbose_name_plural = _("input packages")
        constraints = [
            Unique(
                "unique_pair", "run", "raw_data_package", message="The run has this input already; leave it as it is."
            ),
            Immutable("run_id", "raw_data_package_id"),
        ]

    def __str__(self) -> str:
        return f"package {self.raw_data_package_id}"


class ExecutedReductionStepInputProduct(OpsModel):
    """One data product that a run read. It can't be deleted while the run exists."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    run = models.ForeignKey(
        ExecutedReductionStep,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="+",
        help_text=_("Run that reads the product."),
    )
    data_product = models.ForeignKey(
        DataProduct, on_delete=models.PROTECT, related_name="+", help_text=_("Product that the run reads.")
    )

    class Meta:
        verbose_name = _("input product")
        verbose_name_plural = _("input products")
        constraints = [
            Unique("unique_pair", "run", "data_product", message="The run has this input already; leave it as it is."),
            Immutable("run_id", "data_product_id"),
        ]

    def __str__(self) -> str:
        return f"product {self.data_product_id}"
