from opsdb.database.operations import DefineFunctions, DefineUserLookup, DefineViews
from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('opsdb', '0002_tables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        DefineUserLookup(
        ),
        DefineFunctions(
            folder='0003',
        ),
        DefineViews(
            folder='0003',
            comments={
                'obscore': 'One data set as the virtual observatory finds it: a raw data package, or a science product in a data release.',
                'obscore.dataproduct_type': 'Logical data product type, such as cube or timeseries.',
                'obscore.calib_level': 'Calibration level: 0 raw, 2 a product of one observation, 3 a product of several.',
                'obscore.obs_collection': 'Short name of the observing program, or name and version of the data release.',
                'obscore.obs_id': 'Identifier of the observation, or of the run that combined several.',
                'obscore.obs_publisher_did': 'Data set identifier given by the publisher, unique.',
                'obscore.access_url': 'URL to download from.',
                'obscore.access_format': 'Media type of the content.',
                'obscore.access_estsize': 'Size, kilobytes.',
                'obscore.target_name': 'Name of the observed source.',
                'obscore.s_ra': 'Central right ascension (ICRS), degrees.',
                'obscore.s_dec': 'Central declination (ICRS), degrees.',
                'obscore.s_fov': 'Diameter of the covered region, degrees.',
                'obscore.s_region': 'Covered region (STC-S), ICRS.',
                'obscore.s_resolution': 'Spatial resolution (FWHM), arcsec.',
                'obscore.s_xel1': 'Number of elements along the first spatial axis.',
                'obscore.s_xel2': 'Number of elements along the second spatial axis.',
                'obscore.t_min': 'Start time, MJD (UTC).',
                'obscore.t_max': 'Stop time, MJD (UTC).',
                'obscore.t_exptime': 'Exposure time, seconds; of a combination the sum.',
                'obscore.t_resolution': 'Temporal resolution, seconds.',
                'obscore.t_xel': 'Number of elements along the time axis.',
                'obscore.em_min': 'Shortest wavelength (vacuum), metres.',
                'obscore.em_max': 'Longest wavelength (vacuum), metres.',
                'obscore.em_res_power': 'Spectral resolving power.',
                'obscore.em_xel': 'Number of elements along the spectral axis.',
                'obscore.o_ucd': 'UCD of the observable.',
                'obscore.pol_states': 'Polarization states, such as /I/Q/U/.',
                'obscore.pol_xel': 'Number of polarization states.',
                'obscore.facility_name': 'Name of the telescope.',
                'obscore.instrument_name': 'Name of the instrument.',
                'obscore.obs_title': 'Name of the observation unit or product.',
                'obscore.obs_creation_date': 'When the data set was made (UTC).',
                'obscore.obs_release_date': 'When it was released (UTC), if it was.',
                'obscore.data_rights': 'public if it is in a release that everybody may see, else proprietary.',
                'obscore.bib_reference': 'DOI of the data release.',
                'obscore.proposal_id': 'Short name of the observing program; empty for a product of several.',
            },
        ),
    ]
