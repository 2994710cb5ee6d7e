"""IVOA ObsCore metadata of raw data packages, and how they follow from the observation."""

import math
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import NullIf
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, Unique, between, json_object, not_negative, ordered, positive
from opsdb.database.indexes import Index

from ..base import NumberedModel
from ..enums import ChangeLogging
from ..planning.sources import ConstantElevationSource, FixedSource, Source
from .obscore_columns import UNITS
from .raw_packages import RawDataPackage

__all__ = [
    "RawDataPackageMetadata",
]


SPEED_OF_LIGHT_M_S = 299_792_458  # exact by definition of the metre (SI brochure, 9th edition)
# REC-ObsCore-v1.1, section 3.3.1
OBSCORE_PRODUCT_TYPES = ("image", "cube", "spectrum", "sed", "timeseries", "visibility", "event", "measurements")
MJD_OF_UNIX_EPOCH = 40_587  # 1970-01-01T00:00 UTC


class RawDataPackageMetadata(NumberedModel):
    """What a raw data package holds, in the mandatory columns of IVOA ObsCore 1.1 (REC-ObsCore-v1.1, table 1)."""

    change_logging = ChangeLogging.CHANGES
    units = UNITS

    raw_data_package = models.OneToOneField(
        RawDataPackage,
        on_delete=models.PROTECT,
        related_name="metadata",
        help_text=_("Package that the metadata describe."),
    )
    dataproduct_type = models.CharField(
        "dataproduct_type",
        max_length=30,
        blank=True,
        default="",
        help_text=_("Logical data product type, such as cube or timeseries."),
    )
    calib_level = models.IntegerField("calib_level", default=0, help_text=_("Calibration level, 0 (raw) to 4."))
    obs_collection = models.CharField("obs_collection", max_length=200, help_text=_("Name of the data collection."))
    obs_id = models.CharField("obs_id", max_length=200, help_text=_("Identifier of the observation."))
    obs_publisher_did = models.CharField(
        "obs_publisher_did", max_length=500, help_text=_("Data set identifier given by the publisher.")
    )
    access_url = models.TextField("access_url", blank=True, default="", help_text=_("URL to download from."))
    access_format = models.CharField(
        "access_format", max_length=100, blank=True, default="", help_text=_("Media type of the content.")
    )
    access_estsize = models.BigIntegerField(
        "access_estsize", null=True, blank=True, help_text=_("Estimated size, kilobytes.")
    )
    target_name = models.CharField(
        "target_name", max_length=200, blank=True, default="", help_text=_("Name of the observed target.")
    )
    s_ra = models.FloatField("s_ra", null=True, blank=True, help_text=_("Central right ascension (ICRS), degrees."))
    s_dec = models.FloatField("s_dec", null=True, blank=True, help_text=_("Central declination (ICRS), degrees."))
    s_fov = models.FloatField("s_fov", null=True, blank=True, help_text=_("Diameter of the covered region, degrees."))
    s_region = models.TextField(
        "s_region", blank=True, default="", help_text=_("Covered region (STC-S or DALI), ICRS.")
    )
    s_resolution = models.FloatField(
        "s_resolution", null=True, blank=True, help_text=_("Spatial resolution (FWHM), arcsec.")
    )
    s_xel1 = models.BigIntegerField(
        "s_xel1", null=True, blank=True, help_text=_("Number of elements along the first spatial axis.")
    )
    s_xel2 = models.BigIntegerField(
        "s_xel2", null=True, blank=True, help_text=_("Number of elements along the second spatial axis.")
    )
    t_min = models.FloatField("t_min", null=True, blank=True, help_text=_("Start time, MJD."))
    t_max = models.FloatField("t_max", null=True, blank=True, help_text=_("Stop time, MJD."))
    t_exptime = models.FloatField("t_exptime", null=True, blank=True, help_text=_("Total exposure time, seconds."))
    t_resolution = models.FloatField(
        "t_resolution", null=True, blank=True, help_text=_("Temporal resolution (FWHM), seconds.")
    )
    t_xel = models.BigIntegerField(
        "t_xel", null=True, blank=True, help_text=_("Number of elements along the time axis.")
    )
    em_min = models.FloatField(
        "em_min", null=True, blank=True, help_text=_("Start in spectral coordinates, metres (vacuum).")
    )
    em_max = models.FloatField(
        "em_max", null=True, blank=True, help_text=_("Stop in spectral coordinates, metres (vacuum).")
    )
    em_res_power = models.FloatField("em_res_power", null=True, blank=True, help_text=_("Spectral resolving power."))
    em_xel = models.BigIntegerField(
        "em_xel", null=True, blank=True, help_text=_("Number of elements along the spectral axis.")
    )
    o_ucd = models.CharField("o_ucd", max_length=100, blank=True, default="", help_text=_("UCD of the observable."))
    pol_states = models.CharField(
        "pol_states", max_length=100, blank=True, default="", help_text=_("Polarization states, such as /I/Q/U/.")
    )
    pol_xel = models.BigIntegerField("pol_xel", null=True, blank=True, help_text=_("Number of polarization samples."))
    facility_name = models.CharField(
        "facility_name", max_length=200, blank=True, default="", help_text=_("Facility used.")
    )
    instrument_name = models.CharField(
        "instrument_name", max_length=200, blank=True, default="", help_text=_("Instrument used.")
    )
    extra = models.JSONField(default=dict, blank=True, help_text=_("Further metadata, a JSON object."))

    class Meta:
        verbose_name = _("package metadata")
        verbose_name_plural = _("package metadata")
        constraints = [
            Unique(
                "unique_publisher_did",
                "obs_publisher_did",
                message="Another data set has this identifier; give each its own.",
            ),
            between("calib_level", 0, 4),
            between("s_ra", 0, 360, "°", below_high=True),
            between("s_dec", -90, 90, "°"),
            not_negative("s_fov"),
            not_negative("access_estsize"),
            ordered("t_min", "t_max", strict=False),
            not_negative("t_exptime"),
            positive("em_min"),
            ordered("em_min", "em_max", strict=False),
            Check(
                "dataproduct_type_known",
                Q(dataproduct_type__in=["", *OBSCORE_PRODUCT_TYPES]),
                f"Use a data product type of ObsCore 1.1: {', '.join(OBSCORE_PRODUCT_TYPES)}.",
                "dataproduct_type",
            ),
            json_object("extra"),
        ]
        # What the virtual observatory asks by, through the view obscore.
        indexes = [
            Index(fields=["obs_id"], name="by_observation", serves=["data sets of an observation"]),
            Index(
                fields=["obs_collection", "t_min"],
                name="by_collection",
                serves=["data sets of a collection since a time"],
            ),
            Index(fields=["t_min"], name="by_time", serves=["data sets of a period"]),
            Index(NullIf("target_name", Value("")), name="by_target", serves=["data sets of a target"]),
            Index(fields=["s_dec", "s_ra"], name="position", serves=["data sets of a place"]),
        ]

    def __str__(self) -> str:
        return self.obs_id

    def derive(self) -> Self:
        """Fill the columns that follow from execution, unit, source, module and telescope; nothing is saved.

        Times become MJD (UTC), frequencies vacuum wavelengths in metres, sizes kilobytes. A solar-system
        object has no fixed place, so position and region stay empty. Returns the same object.
        """
        package = self.raw_data_package
        execution, module = package.executed_obs_unit, package.instrument_module
        unit, instrument = execution.obs_unit, module.instrument
        self.calib_level = 0
        self.obs_collection = unit.observing_program.short_name
        self.obs_id = str(execution.pk)
        self.obs_publisher_did = f"ivo://{instrument.telescope.observatory.short_name.lower()}/raw?{package.pk}"
        self.access_format = "application/x-tar"
        self.access_estsize = None if package.size_bytes is None else -(-package.size_bytes // 1000)
        self.facility_name = instrument.telescope.name
        self.instrument_name = instrument.name
        self.t_min = _mjd(execution.start_time)
        self.t_max = _mjd(execution.end_time)
        self.t_exptime = (
            None if execution.end_time is None else (execution.end_time - execution.start_time).total_seconds()
        )
        self.em_min = SPEED_OF_LIGHT_M_S / (module.frequency_max_ghz * 1e9)
        self.em_max = SPEED_OF_LIGHT_M_S / (module.frequency_min_ghz * 1e9)
        self.target_name = unit.source.name if unit.source else ""
        self.s_ra, self.s_dec, self.s_fov, self.s_region = _footprint(unit.source and unit.source.specific)
        return self


def _mjd(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp() / 86_400 + MJD_OF_UNIX_EPOCH


def _footprint(source: Source | None) -> tuple[float | None, float | None, float | None, str]:
    """Return RA and Dec of a source's centre, diameter (all in degrees) and STC-S region."""
    if isinstance(source, FixedSource):
        return source.ra_deg, source.dec_deg, None, ""
    if not isinstance(source, ConstantElevationSource):
        return None, None, None, ""
    width = (source.ra_max_deg - source.ra_min_deg) % 360 or 360.0
    height = source.dec_max_deg - source.dec_min_deg
    corners = [
        (source.ra_min_deg, source.dec_min_deg),
        (source.ra_max_deg, source.dec_min_deg),
        (source.ra_max_deg, source.dec_max_deg),
        (source.ra_min_deg, source.dec_max_deg),
    ]
    region = "POLYGON ICRS " + " ".join(f"{ra % 360:g} {dec:g}" for ra, dec in corners)
    ra_center = (source.ra_min_deg + width / 2) % 360
    dec_center = source.dec_min_deg + height / 2
    return ra_center, dec_center, math.hypot(width * math.cos(math.radians(dec_center)), height), region
