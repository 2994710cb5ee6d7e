"""The view ``obscore``: data for the virtual observatory, in the columns of IVOA ObsCore 1.1."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.deconstruction import leave_out_texts

from ..display import row_as_html
from ..managers import manager_of
from ..querysets import OpsQuerySet
from .obscore_columns import BY_NAME, UNITS

__all__ = [
    "ObsCore",
]

FIELDS: dict[str, type[models.Field[Any, Any]]] = {
    "VARCHAR": models.TextField,
    "CLOB": models.TextField,
    "REGION": models.TextField,
    "INTEGER": models.IntegerField,
    "BIGINT": models.BigIntegerField,
    "DOUBLE": models.FloatField,
    "TIMESTAMP": models.DateTimeField,
}
MJD_OF_YEAR_1 = 678_576  # 0001-01-01 is the proleptic ordinal 1


def _column(name: str, **options: Any) -> Any:
    """Return the field of a standard column."""
    column = BY_NAME[name]
    options = {"null": True, **options} if not column.not_null else options
    field = FIELDS[column.datatype](column.name, help_text=_(column.meaning), **options)
    leave_out_texts(field)
    return field


class ObsCoreQuerySet(OpsQuerySet["ObsCore"]):
    def public(self) -> Self:
        """What is in a release that everybody may see."""
        return self.filter(data_rights="public")

    def night(self, night: date) -> Self:
        """What began in the 24 hours from noon (UTC) of this date: the night that starts then."""
        noon = night.toordinal() - MJD_OF_YEAR_1 + 0.5
        return self.filter(t_min__gte=noon, t_min__lt=noon + 1)


class ObsCore(models.Model):
    """One data set as the virtual observatory finds it: a raw data package, or a science product in a data release.

    A read-only view. The columns are those of IVOA ObsCore 1.1 (REC-ObsCore-v1.1).
    """

    units = UNITS

    dataproduct_type = _column("dataproduct_type")
    calib_level = _column("calib_level")
    obs_collection = _column("obs_collection")
    obs_id = _column("obs_id")
    obs_publisher_did = _column("obs_publisher_did", primary_key=True)
    access_url = _column("access_url")
    access_format = _column("access_format")
    access_estsize = _column("access_estsize")
    target_name = _column("target_name")
    s_ra = _column("s_ra")
    s_dec = _column("s_dec")
    s_fov = _column("s_fov")
    s_region = _column("s_region")
    s_resolution = _column("s_resolution")
    s_xel1 = _column("s_xel1")
    s_xel2 = _column("s_xel2")
    t_min = _column("t_min")
    t_max = _column("t_max")
    t_exptime = _column("t_exptime")
    t_resolution = _column("t_resolution")
    t_xel = _column("t_xel")
    em_min = _column("em_min")
    em_max = _column("em_max")
    em_res_power = _column("em_res_power")
    em_xel = _column("em_xel")
    o_ucd = _column("o_ucd")
    pol_states = _column("pol_states")
    pol_xel = _column("pol_xel")
    facility_name = _column("facility_name")
    instrument_name = _column("instrument_name")
    obs_title = _column("obs_title")
    obs_creation_date = _column("obs_creation_date")
    obs_release_date = _column("obs_release_date")
    data_rights = _column("data_rights")
    bib_reference = _column("bib_reference")
    proposal_id = _column("proposal_id")

    objects = manager_of(ObsCoreQuerySet)

    class Meta:
        managed = False
        db_table = "obscore"
        verbose_name = _("ObsCore data set")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.obs_publisher_did)

    def _repr_html_(self) -> str:
        return row_as_html(self)
