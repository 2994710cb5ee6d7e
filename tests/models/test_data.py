"""What an archive says of a raw data package follows from what was observed."""

from datetime import UTC, datetime

import pytest
from astropy.time import Time

from opsdb.testing.factories import (
    ConstantElevationSourceFactory,
    ExecutedObsUnitFactory,
    FixedSourceFactory,
    InstrumentModuleFactory,
    ObsUnitFactory,
    RawDataPackageFactory,
    RawDataPackageMetadataFactory,
    SolarSystemObjectFactory,
)

pytestmark = pytest.mark.django_db


def metadata_of(source=None, size_bytes=1_500, end_time=datetime(2026, 6, 15, 6, 30, tzinfo=UTC), **of_unit):
    """Metadata, derived, of a package of CHAI's lower module at FYST."""
    unit = ObsUnitFactory(source=source, observing_program__short_name="GEco", **of_unit)
    package = RawDataPackageFactory(
        executed_obs_unit=ExecutedObsUnitFactory(
            obs_unit=unit,
            start_time=datetime(2026, 6, 15, 6, tzinfo=UTC),
            end_time=end_time,
            status="completed" if end_time else "running",
        ),
        instrument_module=InstrumentModuleFactory(
            frequency_min_ghz=455.0,
            frequency_max_ghz=495.0,
            instrument__name="CHAI",
            instrument__telescope__name="Fred Young Submillimeter Telescope",
            instrument__telescope__observatory__short_name="CCAT",
        ),
        size_bytes=size_bytes,
    )
    return RawDataPackageMetadataFactory.build(raw_data_package=package).derive()


def test_metadata_of_a_fixed_source():
    metadata = metadata_of(FixedSourceFactory(name="Orion KL", ra_deg=83.81, dec_deg=-5.375))
    package = metadata.raw_data_package
    assert metadata.calib_level == 0
    assert metadata.obs_collection == "GEco"
    assert metadata.obs_id == str(package.executed_obs_unit_id)
    assert metadata.obs_publisher_did == f"ivo://ccat/raw?{package.pk}"
    assert metadata.access_format == "application/x-tar"
    assert metadata.access_estsize == 2
    assert metadata.facility_name == "Fred Young Submillimeter Telescope"
    assert metadata.instrument_name == "CHAI"
    assert metadata.target_name == "Orion KL"
    assert (metadata.s_ra, metadata.s_dec, metadata.s_fov, metadata.s_region) == (83.81, -5.375, None, "")
    assert metadata.t_min == 61_206.25  # 2026-06-15T06:00, MJD 61206 is 1206 days after MJD 60000, 2023-02-25
    assert metadata.t_max == pytest.approx(61_206.270_833_333, abs=1e-8)
    assert metadata.t_exptime == 1_800
    assert metadata.em_min == pytest.approx(6.056_413_3e-4, rel=1e-7)  # 299 792 458 m/s / 495 GHz
    assert metadata.em_max == pytest.approx(6.588_845_2e-4, rel=1e-7)  # 299 792 458 m/s / 455 GHz
    metadata.full_clean()
    metadata.save()


def test_times_are_those_of_astropy():
    metadata = metadata_of(FixedSourceFactory())
    execution = metadata.raw_data_package.executed_obs_unit
    assert metadata.t_min == pytest.approx(Time(execution.start_time).mjd, abs=1e-9)
    assert metadata.t_max == pytest.approx(Time(execution.end_time).mjd, abs=1e-9)


def test_metadata_of_a_field_across_the_seam_of_right_ascension():
    field = ConstantElevationSourceFactory(ra_min_deg=350.0, ra_max_deg=20.0, dec_min_deg=-10.0, dec_max_deg=10.0)
    metadata = metadata_of(field)
    assert (metadata.s_ra, metadata.s_dec) == (5.0, 0.0)
    assert metadata.s_fov == pytest.approx(36.055_512_8)  # the diagonal of 30° by 20°
    assert metadata.s_region == "POLYGON ICRS 350 -10 20 -10 20 10 350 10"
    metadata.full_clean()


def test_metadata_of_a_field_far_from_the_equator_is_as_wide_as_it_is_on_the_sky():
    field = ConstantElevationSourceFactory(ra_min_deg=10.0, ra_max_deg=50.0, dec_min_deg=-65.0, dec_max_deg=-55.0)
    metadata = metadata_of(field)
    assert (metadata.s_ra, metadata.s_dec) == (30.0, -60.0)
    assert metadata.s_fov == pytest.approx(22.360_679_8)  # the diagonal of 40° × cos 60° by 10°
    assert metadata.s_region == "POLYGON ICRS 10 -65 50 -65 50 -55 10 -55"


def test_metadata_of_a_field_all_around_the_sky():
    metadata = metadata_of(ConstantElevationSourceFactory(ra_min_deg=0.0, ra_max_deg=360.0))
    assert metadata.s_ra == 180.0
    assert metadata.s_fov == pytest.approx(360.555_127_5)
    metadata.full_clean()


def test_a_moving_object_has_no_place():
    metadata = metadata_of(SolarSystemObjectFactory(name="Mars"))
    assert metadata.target_name == "Mars"
    assert (metadata.s_ra, metadata.s_dec, metadata.s_fov, metadata.s_region) == (None, None, None, "")


def test_a_skydip_has_no_target():
    metadata = metadata_of(obs_mode__needs_source=False)
    assert metadata.target_name == ""
    assert metadata.s_ra is None


def test_what_is_not_known_yet_stays_empty():
    metadata = metadata_of(FixedSourceFactory(), size_bytes=None, end_time=None)
    assert metadata.access_estsize is None
    assert metadata.t_min == 61_206.25
    assert metadata.t_max is None
    assert metadata.t_exptime is None


def test_deriving_again_replaces_what_was_derived_before():
    metadata = metadata_of(SolarSystemObjectFactory())
    metadata.s_ra = 1.0
    assert metadata.derive() is metadata
    assert metadata.s_ra is None
