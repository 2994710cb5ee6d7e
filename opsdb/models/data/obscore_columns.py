"""The columns of IVOA ObsCore 1.1: names, types, units, UCDs and utypes, and what they hold here.

Source: REC-ObsCore-v1.1 (2017-05-09) with its errata: appendix C, the tables "TAP_SCHEMA.columns values" for the
mandatory and for the optional fields; which columns may not be NULL is in section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "obscore:"


@dataclass(frozen=True)
class ObsCoreColumn:
    """A column of ObsCore.

    Attributes:
        name: its standard name.
        datatype: VARCHAR, INTEGER, BIGINT, DOUBLE, CLOB, REGION or TIMESTAMP, the types of ADQL without their prefix.
        utype: its place in the data model, without the prefix ``obscore:``.
        ucd: what kind of quantity it is.
        meaning: what it holds here.
        unit: as VOUnits write it; empty for none.
        range: the least and the greatest value, if the standard or the unit has such.
        mandatory: whether every ObsCore table has it.
        not_null: whether it may not be empty.
    """

    name: str
    datatype: str
    utype: str
    ucd: str
    meaning: str
    unit: str = ""
    range: tuple[float, float] | None = None
    mandatory: bool = True
    not_null: bool = False


def _optional(name: str, datatype: str, utype: str, ucd: str, meaning: str) -> ObsCoreColumn:
    return ObsCoreColumn(name, datatype, utype, ucd, meaning, mandatory=False)


_SPATIAL, _TIME, _SPECTRAL = "Char.SpatialAxis.", "Char.TimeAxis.", "Char.SpectralAxis."
_POSITION = f"{_SPATIAL}Coverage.Location.Coord.Position2D.Value2."
_COUNT, _POSITIVE = (-1, 2**63 - 1), (0, float("inf"))

COLUMNS = (
    ObsCoreColumn(
        "dataproduct_type",
        "VARCHAR",
        "ObsDataset.dataProductType",
        "meta.code.class",
        "Logical data product type, such as cube or timeseries.",
    ),
    ObsCoreColumn(
        "calib_level",
        "INTEGER",
        "ObsDataset.calibLevel",
        "meta.code;obs.calib",
        "Calibration level: 0 raw, 2 a product of one observation, 3 a product of several.",
        range=(0, 4),
        not_null=True,
    ),
    ObsCoreColumn(
        "obs_collection",
        "VARCHAR",
        "DataID.collection",
        "meta.id",
        "Short name of the observing program, or name and version of the data release.",
        not_null=True,
    ),
    ObsCoreColumn(
        "obs_id",
        "VARCHAR",
        "DataID.observationID",
        "meta.id",
        "Identifier of the observation, or of the run that combined several.",
        not_null=True,
    ),
    ObsCoreColumn(
        "obs_publisher_did",
        "VARCHAR",
        "Curation.publisherDID",
        "meta.ref.ivoid",
        "Data set identifier given by the publisher, unique.",
        not_null=True,
    ),
    ObsCoreColumn("access_url", "CLOB", "Access.reference", "meta.ref.url", "URL to download from."),
    ObsCoreColumn("access_format", "VARCHAR", "Access.format", "meta.code.mime", "Media type of the content."),
    ObsCoreColumn(
        "access_estsize", "BIGINT", "Access.size", "phys.size;meta.file", "Size, kilobytes.", "kbyte", _POSITIVE
    ),
    ObsCoreColumn("target_name", "VARCHAR", "Target.name", "meta.id;src", "Name of the observed source."),
    ObsCoreColumn(
        "s_ra", "DOUBLE", f"{_POSITION}C1", "pos.eq.ra", "Central right ascension (ICRS), degrees.", "deg", (0, 360)
    ),
    ObsCoreColumn(
        "s_dec", "DOUBLE", f"{_POSITION}C2", "pos.eq.dec", "Central declination (ICRS), degrees.", "deg", (-90, 90)
    ),
    ObsCoreColumn(
        "s_fov",
        "DOUBLE",
        f"{_SPATIAL}Coverage.Bounds.Extent.diameter",
        "phys.angSize;instr.fov",
        "Diameter of the covered region, degrees.",
        "deg",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "s_region",
        "REGION",
        f"{_SPATIAL}Coverage.Support.Area",
        "pos.outline;obs.field",
        "Covered region (STC-S), ICRS.",
    ),
    ObsCoreColumn(
        "s_resolution",
        "DOUBLE",
        f"{_SPATIAL}Resolution.Refval.value",
        "pos.angResolution",
        "Spatial resolution (FWHM), arcsec.",
        "arcsec",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "s_xel1",
        "BIGINT",
        f"{_SPATIAL}numBins1",
        "meta.number",
        "Number of elements along the first spatial axis.",
        range=_COUNT,
    ),
    ObsCoreColumn(
        "s_xel2",
        "BIGINT",
        f"{_SPATIAL}numBins2",
        "meta.number",
        "Number of elements along the second spatial axis.",
        range=_COUNT,
    ),
    ObsCoreColumn(
        "t_min",
        "DOUBLE",
        f"{_TIME}Coverage.Bounds.Limits.StartTime",
        "time.start;obs.exposure",
        "Start time, MJD (UTC).",
        "d",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "t_max",
        "DOUBLE",
        f"{_TIME}Coverage.Bounds.Limits.StopTime",
        "time.end;obs.exposure",
        "Stop time, MJD (UTC).",
        "d",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "t_exptime",
        "DOUBLE",
        f"{_TIME}Coverage.Support.Extent",
        "time.duration;obs.exposure",
        "Exposure time, seconds; of a combination the sum.",
        "s",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "t_resolution",
        "DOUBLE",
        f"{_TIME}Resolution.Refval.value",
        "time.resolution",
        "Temporal resolution, seconds.",
        "s",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "t_xel", "BIGINT", f"{_TIME}numBins", "meta.number", "Number of elements along the time axis.", range=_COUNT
    ),
    ObsCoreColumn(
        "em_min",
        "DOUBLE",
        f"{_SPECTRAL}Coverage.Bounds.Limits.LoLimit",
        "em.wl;stat.min",
        "Shortest wavelength (vacuum), metres.",
        "m",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "em_max",
        "DOUBLE",
        f"{_SPECTRAL}Coverage.Bounds.Limits.HiLimit",
        "em.wl;stat.max",
        "Longest wavelength (vacuum), metres.",
        "m",
        _POSITIVE,
    ),
    ObsCoreColumn(
        "em_res_power",
        "DOUBLE",
        f"{_SPECTRAL}Resolution.ResolPower.refVal",
        "spect.resolution",
        "Spectral resolving power.",
        range=_POSITIVE,
    ),
    ObsCoreColumn(
        "em_xel",
        "BIGINT",
        f"{_SPECTRAL}numBins",
        "meta.number",
        "Number of elements along the spectral axis.",
        range=_COUNT,
    ),
    ObsCoreColumn("o_ucd", "VARCHAR", "Char.ObservableAxis.ucd", "meta.ucd", "UCD of the observable."),
    ObsCoreColumn(
        "pol_states",
        "VARCHAR",
        "Char.PolarizationAxis.stateList",
        "meta.code;phys.polarization",
        "Polarization states, such as /I/Q/U/.",
    ),
    ObsCoreColumn(
        "pol_xel",
        "BIGINT",
        "Char.PolarizationAxis.numBins",
        "meta.number",
        "Number of polarization states.",
        range=_COUNT,
    ),
    ObsCoreColumn(
        "facility_name", "VARCHAR", "Provenance.ObsConfig.Facility.name", "meta.id;instr.tel", "Name of the telescope."
    ),
    ObsCoreColumn(
        "instrument_name", "VARCHAR", "Provenance.ObsConfig.Instrument.name", "meta.id;instr", "Name of the instrument."
    ),
    _optional("obs_title", "VARCHAR", "DataID.title", "meta.title;obs", "Name of the observation unit or product."),
    _optional(
        "obs_creation_date", "TIMESTAMP", "DataID.date", "time;meta.dataset", "When the data set was made (UTC)."
    ),
    _optional(
        "obs_release_date",
        "TIMESTAMP",
        "Curation.releaseDate",
        "time.release",
        "When it was released (UTC), if it was.",
    ),
    _optional(
        "data_rights",
        "VARCHAR",
        "Curation.rights",
        "meta.code",
        "public if it is in a release that everybody may see, else proprietary.",
    ),
    _optional("bib_reference", "VARCHAR", "Curation.reference", "meta.bib", "DOI of the data release."),
    _optional(
        "proposal_id",
        "VARCHAR",
        "Provenance.Proposal.identifier",
        "meta.id;obs.proposal",
        "Short name of the observing program; empty for a product of several.",
    ),
)
BY_NAME = {column.name: column for column in COLUMNS}
UNITS = {column.name: column.unit for column in COLUMNS if column.unit}
