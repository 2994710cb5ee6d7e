import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0001_access"),
    ]

    operations = [
        migrations.CreateModel(
            name="Observatory",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When the row was made (UTC), set by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was made (UTC), set by the database.",
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_comment="When the row was last changed (UTC), kept by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was last changed (UTC), kept by the database.",
                        verbose_name="updated at",
                    ),
                ),
                (
                    "id",
                    models.BigAutoField(
                        db_comment="Number of the row.",
                        help_text="Number of the row.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Full name.",
                        help_text="Full name.",
                        max_length=200,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "short_name",
                    models.SlugField(
                        db_comment="Short name for paths and lists.",
                        help_text="Short name for paths and lists.",
                        unique=True,
                        verbose_name="short name",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What a newcomer should know about it.",
                        default="",
                        help_text="What a newcomer should know about it.",
                        verbose_name="description",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        db_comment="IANA name of the local time zone, such as America/Santiago.",
                        default="UTC",
                        help_text="IANA name of the local time zone, such as America/Santiago.",
                        max_length=64,
                        verbose_name="time zone",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "observatories",
                "db_table": "observatory",
                "db_table_comment": "An organization that runs telescopes on one mountain.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("time_zone__regex", "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$")),
                        name="observatory_time_zone_format",
                        violation_error_message="Give an IANA name, such as America/Santiago.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="observatory_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("short_name", ""), _negated=True),
                        name="observatory_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("time_zone", ""), _negated=True),
                        name="observatory_time_zone_not_blank",
                        violation_error_message="Time zone must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Telescope",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When the row was made (UTC), set by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was made (UTC), set by the database.",
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_comment="When the row was last changed (UTC), kept by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was last changed (UTC), kept by the database.",
                        verbose_name="updated at",
                    ),
                ),
                (
                    "id",
                    models.BigAutoField(
                        db_comment="Number of the row.",
                        help_text="Number of the row.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "observatory",
                    models.ForeignKey(
                        db_comment="Who runs it.",
                        help_text="Who runs it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="telescopes",
                        to="opsdb.observatory",
                        verbose_name="observatory",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Full name, unique in the observatory.",
                        help_text="Full name, unique in the observatory.",
                        max_length=200,
                        verbose_name="name",
                    ),
                ),
                (
                    "short_name",
                    models.SlugField(
                        db_comment="Short name, as schedules call it.",
                        db_index=False,
                        help_text="Short name, as schedules call it.",
                        verbose_name="short name",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What a newcomer should know about it.",
                        default="",
                        help_text="What a newcomer should know about it.",
                        verbose_name="description",
                    ),
                ),
                (
                    "latitude_deg",
                    models.FloatField(
                        db_comment="Geodetic latitude (WGS 84), degrees, north positive.",
                        help_text="Geodetic latitude (WGS 84), degrees, north positive.",
                        verbose_name="latitude [deg]",
                    ),
                ),
                (
                    "longitude_deg",
                    models.FloatField(
                        db_comment="Longitude (WGS 84), degrees, east positive.",
                        help_text="Longitude (WGS 84), degrees, east positive.",
                        verbose_name="longitude [deg]",
                    ),
                ),
                (
                    "elevation_m",
                    models.FloatField(
                        db_comment="Height above sea level, metres.",
                        help_text="Height above sea level, metres.",
                        verbose_name="elevation [m]",
                    ),
                ),
            ],
            options={
                "db_table": "telescope",
                "db_table_comment": "A telescope: one dish at one place.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("observatory", "name"),
                        name="telescope_unique_name",
                        violation_error_message="The observatory has a telescope of this name.",
                    ),
                    models.UniqueConstraint(
                        fields=("short_name",),
                        name="telescope_unique_short_name",
                        violation_error_message="There is a telescope of this short name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("latitude_deg__gte", -90), ("latitude_deg__lte", 90)),
                        name="telescope_latitude_deg_range",
                        violation_error_message="Latitude must be between -90 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("longitude_deg__gte", -180), ("longitude_deg__lte", 180)),
                        name="telescope_longitude_deg_range",
                        violation_error_message="Longitude must be between -180 and 180°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("elevation_m__gte", -500), ("elevation_m__lte", 9000)),
                        name="telescope_elevation_m_range",
                        violation_error_message="Elevation must be between -500 and 9000 m.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="telescope_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("short_name", ""), _negated=True),
                        name="telescope_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("latitude_deg__gt", float("-inf")),
                            ("latitude_deg__lt", float("inf")),
                            ("longitude_deg__gt", float("-inf")),
                            ("longitude_deg__lt", float("inf")),
                            ("elevation_m__gt", float("-inf")),
                            ("elevation_m__lt", float("inf")),
                        ),
                        name="telescope_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Instrument",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When the row was made (UTC), set by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was made (UTC), set by the database.",
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_comment="When the row was last changed (UTC), kept by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was last changed (UTC), kept by the database.",
                        verbose_name="updated at",
                    ),
                ),
                (
                    "id",
                    models.BigAutoField(
                        db_comment="Number of the row.",
                        help_text="Number of the row.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "telescope",
                    models.ForeignKey(
                        db_comment="The telescope it belongs to.",
                        help_text="The telescope it belongs to.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instruments",
                        to="opsdb.telescope",
                        verbose_name="telescope",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Name, unique at the telescope.",
                        help_text="Name, unique at the telescope.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it measures.",
                        default="",
                        help_text="What it measures.",
                        verbose_name="description",
                    ),
                ),
                (
                    "available",
                    models.BooleanField(
                        db_comment="Whether it can be scheduled.",
                        default=True,
                        help_text="Whether it can be scheduled.",
                        verbose_name="available",
                    ),
                ),
            ],
            options={
                "db_table": "instrument",
                "db_table_comment": "An instrument that can be mounted on a telescope.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("telescope", "name"),
                        name="instrument_unique_name",
                        violation_error_message="The telescope has an instrument of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="instrument_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InstrumentModule",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When the row was made (UTC), set by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was made (UTC), set by the database.",
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_comment="When the row was last changed (UTC), kept by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was last changed (UTC), kept by the database.",
                        verbose_name="updated at",
                    ),
                ),
                (
                    "id",
                    models.BigAutoField(
                        db_comment="Number of the row.",
                        help_text="Number of the row.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        db_comment="The instrument it is a part of.",
                        help_text="The instrument it is a part of.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="modules",
                        to="opsdb.instrument",
                        verbose_name="instrument",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Name, unique in the instrument.",
                        help_text="Name, unique in the instrument.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it measures.",
                        default="",
                        help_text="What it measures.",
                        verbose_name="description",
                    ),
                ),
                (
                    "available",
                    models.BooleanField(
                        db_comment="Whether it can be scheduled.",
                        default=True,
                        help_text="Whether it can be scheduled.",
                        verbose_name="available",
                    ),
                ),
                (
                    "pixels",
                    models.IntegerField(
                        blank=True,
                        db_comment="Number of pixels.",
                        help_text="Number of pixels.",
                        null=True,
                        verbose_name="pixels",
                    ),
                ),
                (
                    "frequency_min_ghz",
                    models.FloatField(
                        db_comment="Lower end of the frequency range, GHz.",
                        help_text="Lower end of the frequency range, GHz.",
                        verbose_name="frequency min [GHz]",
                    ),
                ),
                (
                    "frequency_max_ghz",
                    models.FloatField(
                        db_comment="Upper end of the frequency range, GHz.",
                        help_text="Upper end of the frequency range, GHz.",
                        verbose_name="frequency max [GHz]",
                    ),
                ),
            ],
            options={
                "db_table": "instrument_module",
                "db_table_comment": "A part of an instrument that takes data of its own, in one frequency range.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("instrument", "name"),
                        name="instrument_module_unique_name",
                        violation_error_message="The instrument has a module of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pixels__gt", 0)),
                        name="instrument_module_pixels_positive",
                        violation_error_message="Pixels must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frequency_min_ghz__gt", 0)),
                        name="instrument_module_frequency_min_ghz_positive",
                        violation_error_message="Frequency min must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frequency_max_ghz__gte", models.F("frequency_min_ghz"))),
                        name="instrument_module_frequency_max_ghz_after_frequency_min_ghz",
                        violation_error_message="Frequency max must be at or above frequency min.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="instrument_module_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("frequency_min_ghz__gt", float("-inf")),
                            ("frequency_min_ghz__lt", float("inf")),
                            ("frequency_max_ghz__gt", float("-inf")),
                            ("frequency_max_ghz__lt", float("inf")),
                        ),
                        name="instrument_module_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InstrumentModuleConfiguration",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When the row was made (UTC), set by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was made (UTC), set by the database.",
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_comment="When the row was last changed (UTC), kept by the database.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the row was last changed (UTC), kept by the database.",
                        verbose_name="updated at",
                    ),
                ),
                (
                    "id",
                    models.BigAutoField(
                        db_comment="Number of the row.",
                        help_text="Number of the row.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "instrument_module",
                    models.ForeignKey(
                        db_comment="The module it sets up.",
                        help_text="The module it sets up.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="configurations",
                        to="opsdb.instrumentmodule",
                        verbose_name="instrument module",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("chai", "CHAI"), ("prime_cam", "Prime-Cam")],
                        db_comment="Kind of configuration; set by its class.",
                        editable=False,
                        help_text="Kind of configuration; set by its class.",
                        max_length=20,
                        verbose_name="type",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Name, unique for the module.",
                        help_text="Name, unique for the module.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="When to use it.",
                        default="",
                        help_text="When to use it.",
                        verbose_name="description",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        db_comment="Whether new units may use it.",
                        default=True,
                        help_text="Whether new units may use it.",
                        verbose_name="active",
                    ),
                ),
            ],
            options={
                "db_table": "instrument_module_configuration",
                "db_table_comment": "A way in which a module can be set up for observing.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("instrument_module", "name"),
                        name="instrument_module_configuration_unique_name",
                        violation_error_message="The module has a configuration of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["chai", "prime_cam"])),
                        name="instrument_module_configuration_type_known",
                        violation_error_message="Type must be one of: chai, prime_cam.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="instrument_module_configuration_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChaiModuleConfiguration",
            fields=[
                (
                    "configuration_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The configuration that this tunes.",
                        help_text="The configuration that this tunes.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.instrumentmoduleconfiguration",
                        verbose_name="configuration ptr",
                    ),
                ),
                (
                    "line_id",
                    models.CharField(
                        db_comment="Spectral line, such as CO43 for CO(4-3).",
                        help_text="Spectral line, such as CO43 for CO(4-3).",
                        max_length=50,
                        verbose_name="line ID",
                    ),
                ),
                (
                    "line_frequency_ghz",
                    models.FloatField(
                        db_comment="Rest frequency of the line, GHz.",
                        help_text="Rest frequency of the line, GHz.",
                        verbose_name="line frequency [GHz]",
                    ),
                ),
                (
                    "lo_frequency_ghz",
                    models.FloatField(
                        blank=True,
                        db_comment="Frequency of the local oscillator, GHz.",
                        help_text="Frequency of the local oscillator, GHz.",
                        null=True,
                        verbose_name="LO frequency [GHz]",
                    ),
                ),
                (
                    "sideband",
                    models.CharField(
                        choices=[("lsb", "lower"), ("usb", "upper"), ("dsb", "double")],
                        db_comment="Sideband that holds the line.",
                        help_text="Sideband that holds the line.",
                        max_length=3,
                        verbose_name="sideband",
                    ),
                ),
                (
                    "backend",
                    models.CharField(
                        blank=True,
                        db_comment="Spectrometer.",
                        default="",
                        help_text="Spectrometer.",
                        max_length=100,
                        verbose_name="backend",
                    ),
                ),
                (
                    "spectral_resolution_khz",
                    models.FloatField(
                        blank=True,
                        db_comment="Width of a channel, kHz.",
                        help_text="Width of a channel, kHz.",
                        null=True,
                        verbose_name="spectral resolution [kHz]",
                    ),
                ),
            ],
            options={
                "verbose_name": "CHAI module configuration",
                "db_table": "chai_module_configuration",
                "db_table_comment": "How a heterodyne module of CHAI is tuned.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("line_frequency_ghz__gt", 0)),
                        name="chai_module_configuration_line_frequency_ghz_positive",
                        violation_error_message="Line frequency must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lo_frequency_ghz__gt", 0)),
                        name="chai_module_configuration_lo_frequency_ghz_positive",
                        violation_error_message="LO frequency must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("spectral_resolution_khz__gt", 0)),
                        name="chai_module_configuration_spectral_resolution_khz_positive",
                        violation_error_message="Spectral resolution must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("line_id", ""), _negated=True),
                        name="chai_module_configuration_line_id_not_blank",
                        violation_error_message="Line ID must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sideband__in", ["lsb", "usb", "dsb"])),
                        name="chai_module_configuration_sideband_known",
                        violation_error_message="Sideband must be one of: lsb, usb, dsb.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("line_frequency_ghz__gt", float("-inf")),
                            ("line_frequency_ghz__lt", float("inf")),
                            ("lo_frequency_ghz__gt", float("-inf")),
                            ("lo_frequency_ghz__lt", float("inf")),
                            ("spectral_resolution_khz__gt", float("-inf")),
                            ("spectral_resolution_khz__lt", float("inf")),
                        ),
                        name="chai_module_configuration_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
            bases=("opsdb.instrumentmoduleconfiguration",),
        ),
        migrations.CreateModel(
            name="PrimeCamModuleConfiguration",
            fields=[
                (
                    "configuration_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The configuration that this sets up.",
                        help_text="The configuration that this sets up.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.instrumentmoduleconfiguration",
                        verbose_name="configuration ptr",
                    ),
                ),
                (
                    "band_center_ghz",
                    models.FloatField(
                        db_comment="Centre of the band, GHz.",
                        help_text="Centre of the band, GHz.",
                        verbose_name="band center [GHz]",
                    ),
                ),
                (
                    "bandwidth_ghz",
                    models.FloatField(
                        blank=True,
                        db_comment="Width of the band, GHz.",
                        help_text="Width of the band, GHz.",
                        null=True,
                        verbose_name="bandwidth [GHz]",
                    ),
                ),
                (
                    "detector_count",
                    models.IntegerField(
                        blank=True,
                        db_comment="Number of detectors that are read.",
                        help_text="Number of detectors that are read.",
                        null=True,
                        verbose_name="detector count",
                    ),
                ),
                (
                    "readout_rate_hz",
                    models.FloatField(
                        blank=True,
                        db_comment="Samples per second of a detector, Hz.",
                        help_text="Samples per second of a detector, Hz.",
                        null=True,
                        verbose_name="readout rate [Hz]",
                    ),
                ),
                (
                    "fts_enabled",
                    models.BooleanField(
                        db_comment="Whether the imaging Fabry-Perot or Fourier spectrometer is in the beam.",
                        default=False,
                        help_text="Whether the imaging Fabry-Perot or Fourier spectrometer is in the beam.",
                        verbose_name="FTS enabled",
                    ),
                ),
            ],
            options={
                "verbose_name": "Prime-Cam module configuration",
                "db_table": "prime_cam_module_configuration",
                "db_table_comment": "How a detector module of Prime-Cam is set up.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("band_center_ghz__gt", 0)),
                        name="prime_cam_module_configuration_band_center_ghz_positive",
                        violation_error_message="Band center must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bandwidth_ghz__gt", 0)),
                        name="prime_cam_module_configuration_bandwidth_ghz_positive",
                        violation_error_message="Bandwidth must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("detector_count__gte", 0)),
                        name="prime_cam_module_configuration_detector_count_not_negative",
                        violation_error_message="Detector count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("readout_rate_hz__gt", 0)),
                        name="prime_cam_module_configuration_readout_rate_hz_positive",
                        violation_error_message="Readout rate must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("band_center_ghz__gt", float("-inf")),
                            ("band_center_ghz__lt", float("inf")),
                            ("bandwidth_ghz__gt", float("-inf")),
                            ("bandwidth_ghz__lt", float("inf")),
                            ("readout_rate_hz__gt", float("-inf")),
                            ("readout_rate_hz__lt", float("inf")),
                        ),
                        name="prime_cam_module_configuration_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
            bases=("opsdb.instrumentmoduleconfiguration",),
        ),
    ]
