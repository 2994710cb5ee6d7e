import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0002_observatory"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            sql="CREATE EXTENSION IF NOT EXISTS btree_gist",
            reverse_sql="",
        ),
        migrations.CreateModel(
            name="ObservingProgram",
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
                    models.CharField(
                        db_comment="Code used in file names and lists, such as GEco.",
                        help_text="Code used in file names and lists, such as GEco.",
                        max_length=50,
                        unique=True,
                        verbose_name="short name",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("science", "science"), ("technical", "technical")],
                        db_comment="Science or technical.",
                        default="science",
                        help_text="Science or technical.",
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it is after.",
                        default="",
                        help_text="What it is after.",
                        verbose_name="description",
                    ),
                ),
                (
                    "lead",
                    models.TextField(
                        blank=True,
                        db_comment="Who leads it.",
                        default="",
                        help_text="Who leads it.",
                        verbose_name="lead",
                    ),
                ),
                (
                    "contact_email",
                    models.EmailField(
                        blank=True,
                        db_comment="Where questions go.",
                        default="",
                        help_text="Where questions go.",
                        max_length=254,
                        verbose_name="contact email",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        db_comment="Whether it still observes.",
                        default=True,
                        help_text="Whether it still observes.",
                        verbose_name="active",
                    ),
                ),
                (
                    "instruments",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Instruments it observes with.",
                        related_name="observing_programs",
                        to="opsdb.instrument",
                        verbose_name="instruments",
                    ),
                ),
            ],
            options={
                "db_table": "observing_program",
                "db_table_comment": "A project that observes towards one goal, or the calibration and engineering beside it.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("short_name__regex", "^[A-Za-z0-9][A-Za-z0-9._-]*$")),
                        name="observing_program_short_name_format",
                        violation_error_message="The code must be letters, digits, '.', '_' or '-'.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="observing_program_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("short_name", ""), _negated=True),
                        name="observing_program_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["science", "technical"])),
                        name="observing_program_kind_known",
                        violation_error_message="Kind must be one of: science, technical.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubObservingProgram",
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
                    "observing_program",
                    models.ForeignKey(
                        db_comment="The program it is a part of.",
                        help_text="The program it is a part of.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sub_programs",
                        to="opsdb.observingprogram",
                        verbose_name="observing program",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Full name, unique in the program.",
                        help_text="Full name, unique in the program.",
                        max_length=200,
                        verbose_name="name",
                    ),
                ),
                (
                    "short_name",
                    models.CharField(
                        db_comment="Code, unique in the program.",
                        help_text="Code, unique in the program.",
                        max_length=50,
                        verbose_name="short name",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it is after.",
                        default="",
                        help_text="What it is after.",
                        verbose_name="description",
                    ),
                ),
            ],
            options={
                "verbose_name": "sub-observing program",
                "db_table": "sub_observing_program",
                "db_table_comment": "A part of an observing program with units of its own.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("observing_program", "name"),
                        name="sub_observing_program_unique_name",
                        violation_error_message="The program has a sub-program of this name.",
                    ),
                    models.UniqueConstraint(
                        fields=("observing_program", "short_name"),
                        name="sub_observing_program_unique_short_name",
                        violation_error_message="The program has a sub-program of this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="sub_observing_program_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("short_name", ""), _negated=True),
                        name="sub_observing_program_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Source",
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
                        db_comment="Name, unique among all sources.",
                        help_text="Name, unique among all sources.",
                        max_length=200,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("fixed", "fixed"),
                            ("solar_system", "solar system"),
                            ("constant_elevation", "constant elevation"),
                        ],
                        db_comment="Kind of source; set by its class.",
                        editable=False,
                        help_text="Kind of source; set by its class.",
                        max_length=20,
                        verbose_name="type",
                    ),
                ),
                (
                    "aliases",
                    models.JSONField(
                        blank=True,
                        db_comment="Other names, a JSON list of texts.",
                        default=list,
                        help_text="Other names, a JSON list of texts.",
                        verbose_name="aliases",
                    ),
                ),
                (
                    "comment",
                    models.TextField(
                        blank=True,
                        db_comment="What an observer should know.",
                        default="",
                        help_text="What an observer should know.",
                        verbose_name="comment",
                    ),
                ),
            ],
            options={
                "db_table": "source",
                "db_table_comment": "Something on the sky that a telescope can be pointed at.",
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(models.F("aliases"), function="jsonb_typeof", output_field=models.TextField()),
                            models.Value("array"),
                        ),
                        name="source_aliases_list",
                        violation_error_message='Aliases must be a JSON list, such as ["one", "two"].',
                    ),
                    models.CheckConstraint(
                        condition=models.Func(
                            models.F("aliases"),
                            models.Value('strict $[*] ? (!(@.type() == "string" && @ like_regex ".+"))'),
                            function="jsonb_path_exists",
                            output_field=models.BooleanField(),
                            template="(NOT %(function)s(%(expressions)s::jsonpath, '{}', true))",
                        ),
                        name="source_aliases_entries",
                        violation_error_message="Aliases must be a list of non-empty texts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="source_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["fixed", "solar_system", "constant_elevation"])),
                        name="source_type_known",
                        violation_error_message="Type must be one of: fixed, solar_system, constant_elevation.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FixedSource",
            fields=[
                (
                    "source_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The source whose position this is.",
                        help_text="The source whose position this is.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.source",
                        verbose_name="source ptr",
                    ),
                ),
                (
                    "ra_deg",
                    models.FloatField(
                        db_comment="Right ascension (ICRS), degrees in [0, 360); what all queries use.",
                        help_text="Right ascension (ICRS), degrees in [0, 360); what all queries use.",
                        verbose_name="RA [deg]",
                    ),
                ),
                (
                    "dec_deg",
                    models.FloatField(
                        db_comment="Declination (ICRS), degrees; what all queries use.",
                        help_text="Declination (ICRS), degrees; what all queries use.",
                        verbose_name="Dec [deg]",
                    ),
                ),
                (
                    "frame",
                    models.CharField(
                        choices=[
                            ("icrs", "ICRS"),
                            ("fk4", "FK4"),
                            ("fk5", "FK5"),
                            ("galactic", "galactic"),
                            ("ecliptic", "ecliptic"),
                        ],
                        db_comment="Frame in which the observer gave the position.",
                        default="icrs",
                        help_text="Frame in which the observer gave the position.",
                        max_length=10,
                        verbose_name="frame",
                    ),
                ),
                (
                    "longitude_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Longitude or RA as given in that frame, degrees.",
                        help_text="Longitude or RA as given in that frame, degrees.",
                        null=True,
                        verbose_name="longitude [deg]",
                    ),
                ),
                (
                    "latitude_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Latitude or Dec as given in that frame, degrees.",
                        help_text="Latitude or Dec as given in that frame, degrees.",
                        null=True,
                        verbose_name="latitude [deg]",
                    ),
                ),
                (
                    "equinox",
                    models.CharField(
                        blank=True,
                        db_comment="Equinox as given, such as J2000 or B1950.",
                        default="",
                        help_text="Equinox as given, such as J2000 or B1950.",
                        max_length=10,
                        verbose_name="equinox",
                    ),
                ),
                (
                    "pm_ra_mas_yr",
                    models.FloatField(
                        blank=True,
                        db_comment="Proper motion in RA times cos(Dec), mas/yr.",
                        help_text="Proper motion in RA times cos(Dec), mas/yr.",
                        null=True,
                        verbose_name="proper motion RA [mas/yr]",
                    ),
                ),
                (
                    "pm_dec_mas_yr",
                    models.FloatField(
                        blank=True,
                        db_comment="Proper motion in Dec, mas/yr.",
                        help_text="Proper motion in Dec, mas/yr.",
                        null=True,
                        verbose_name="proper motion Dec [mas/yr]",
                    ),
                ),
                (
                    "parallax_mas",
                    models.FloatField(
                        blank=True,
                        db_comment="Parallax, mas.",
                        help_text="Parallax, mas.",
                        null=True,
                        verbose_name="parallax [mas]",
                    ),
                ),
                (
                    "vlsr_km_s",
                    models.FloatField(
                        blank=True,
                        db_comment="Radial velocity (local standard of rest, radio convention), km/s.",
                        help_text="Radial velocity (local standard of rest, radio convention), km/s.",
                        null=True,
                        verbose_name="v(LSR) [km/s]",
                    ),
                ),
            ],
            options={
                "db_table": "fixed_source",
                "db_table_comment": "A source at a fixed place among the stars.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ra_deg__gte", 0), ("ra_deg__lt", 360)),
                        name="fixed_source_ra_deg_range",
                        violation_error_message="RA must be at least 0 and below 360°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dec_deg__gte", -90), ("dec_deg__lte", 90)),
                        name="fixed_source_dec_deg_range",
                        violation_error_message="Dec must be between -90 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("latitude_deg__gte", -90), ("latitude_deg__lte", 90)),
                        name="fixed_source_latitude_deg_range",
                        violation_error_message="Latitude must be between -90 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("longitude_deg__gte", -360), ("longitude_deg__lte", 360)),
                        name="fixed_source_longitude_deg_range",
                        violation_error_message="Longitude must be between -360 and 360°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frame__in", ["icrs", "fk4", "fk5", "galactic", "ecliptic"])),
                        name="fixed_source_frame_known",
                        violation_error_message="Frame must be one of: icrs, fk4, fk5, galactic, ecliptic.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ra_deg__gt", float("-inf")),
                            ("ra_deg__lt", float("inf")),
                            ("dec_deg__gt", float("-inf")),
                            ("dec_deg__lt", float("inf")),
                            ("longitude_deg__gt", float("-inf")),
                            ("longitude_deg__lt", float("inf")),
                            ("latitude_deg__gt", float("-inf")),
                            ("latitude_deg__lt", float("inf")),
                            ("pm_ra_mas_yr__gt", float("-inf")),
                            ("pm_ra_mas_yr__lt", float("inf")),
                            ("pm_dec_mas_yr__gt", float("-inf")),
                            ("pm_dec_mas_yr__lt", float("inf")),
                            ("parallax_mas__gt", float("-inf")),
                            ("parallax_mas__lt", float("inf")),
                            ("vlsr_km_s__gt", float("-inf")),
                            ("vlsr_km_s__lt", float("inf")),
                        ),
                        name="fixed_source_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
                "indexes": [models.Index(fields=["dec_deg", "ra_deg"], name="fixed_source_position")],
            },
            bases=("opsdb.source",),
        ),
        migrations.CreateModel(
            name="SolarSystemObject",
            fields=[
                (
                    "source_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The source whose ephemeris this names.",
                        help_text="The source whose ephemeris this names.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.source",
                        verbose_name="source ptr",
                    ),
                ),
                (
                    "ephemeris_name",
                    models.CharField(
                        db_comment="Name by which the control system knows it, such as mars.",
                        help_text="Name by which the control system knows it, such as mars.",
                        max_length=100,
                        verbose_name="ephemeris name",
                    ),
                ),
                (
                    "naif_id",
                    models.IntegerField(
                        blank=True,
                        db_comment="NAIF number, such as 499 for Mars.",
                        help_text="NAIF number, such as 499 for Mars.",
                        null=True,
                        unique=True,
                        verbose_name="NAIF ID",
                    ),
                ),
                (
                    "horizons_id",
                    models.CharField(
                        blank=True,
                        db_comment="Identifier for JPL Horizons.",
                        default="",
                        help_text="Identifier for JPL Horizons.",
                        max_length=100,
                        verbose_name="horizons ID",
                    ),
                ),
            ],
            options={
                "db_table": "solar_system_object",
                "db_table_comment": "A source that moves among the stars and whose place an ephemeris gives.",
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ephemeris_name", ""), _negated=True),
                        name="solar_system_object_ephemeris_name_not_blank",
                        violation_error_message="Ephemeris name must not be blank.",
                    )
                ],
            },
            bases=("opsdb.source",),
        ),
        migrations.CreateModel(
            name="ConstantElevationSource",
            fields=[
                (
                    "source_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The source whose field this is.",
                        help_text="The source whose field this is.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.source",
                        verbose_name="source ptr",
                    ),
                ),
                (
                    "ra_min_deg",
                    models.FloatField(
                        db_comment="Western edge in RA (ICRS), degrees; above the other edge where the field spans RA 0.",
                        help_text="Western edge in RA (ICRS), degrees; above the other edge where the field spans RA 0.",
                        verbose_name="RA min [deg]",
                    ),
                ),
                (
                    "ra_max_deg",
                    models.FloatField(
                        db_comment="Eastern edge in RA (ICRS), degrees.",
                        help_text="Eastern edge in RA (ICRS), degrees.",
                        verbose_name="RA max [deg]",
                    ),
                ),
                (
                    "dec_min_deg",
                    models.FloatField(
                        db_comment="Southern edge (ICRS), degrees.",
                        help_text="Southern edge (ICRS), degrees.",
                        verbose_name="Dec min [deg]",
                    ),
                ),
                (
                    "dec_max_deg",
                    models.FloatField(
                        db_comment="Northern edge (ICRS), degrees.",
                        help_text="Northern edge (ICRS), degrees.",
                        verbose_name="Dec max [deg]",
                    ),
                ),
                (
                    "elevation_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Elevation of the scan, degrees.",
                        help_text="Elevation of the scan, degrees.",
                        null=True,
                        verbose_name="elevation [deg]",
                    ),
                ),
            ],
            options={
                "db_table": "constant_elevation_source",
                "db_table_comment": "A field that is scanned back and forth in azimuth while it rises or sets through one elevation.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ra_min_deg__gte", 0), ("ra_min_deg__lt", 360)),
                        name="constant_elevation_source_ra_min_deg_range",
                        violation_error_message="RA min must be at least 0 and below 360°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ra_max_deg__gte", 0), ("ra_max_deg__lte", 360)),
                        name="constant_elevation_source_ra_max_deg_range",
                        violation_error_message="RA max must be between 0 and 360°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dec_min_deg__gte", -90), ("dec_min_deg__lte", 90)),
                        name="constant_elevation_source_dec_min_deg_range",
                        violation_error_message="Dec min must be between -90 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dec_max_deg__gte", -90), ("dec_max_deg__lte", 90)),
                        name="constant_elevation_source_dec_max_deg_range",
                        violation_error_message="Dec max must be between -90 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dec_max_deg__gt", models.F("dec_min_deg"))),
                        name="constant_elevation_source_dec_max_deg_after_dec_min_deg",
                        violation_error_message="Dec max must be above Dec min.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("elevation_deg__gte", 0), ("elevation_deg__lte", 90)),
                        name="constant_elevation_source_elevation_deg_range",
                        violation_error_message="Elevation must be between 0 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ra_min_deg__gt", float("-inf")),
                            ("ra_min_deg__lt", float("inf")),
                            ("ra_max_deg__gt", float("-inf")),
                            ("ra_max_deg__lt", float("inf")),
                            ("dec_min_deg__gt", float("-inf")),
                            ("dec_min_deg__lt", float("inf")),
                            ("dec_max_deg__gt", float("-inf")),
                            ("dec_max_deg__lt", float("inf")),
                            ("elevation_deg__gt", float("-inf")),
                            ("elevation_deg__lt", float("inf")),
                        ),
                        name="constant_elevation_source_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
            bases=("opsdb.source",),
        ),
        migrations.CreateModel(
            name="AzimuthRange",
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
                    "source",
                    models.ForeignKey(
                        db_comment="The field.",
                        help_text="The field.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="azimuth_ranges",
                        to="opsdb.constantelevationsource",
                        verbose_name="source",
                    ),
                ),
                (
                    "azimuth_min_deg",
                    models.FloatField(
                        db_comment="Lower end, degrees from north through east.",
                        help_text="Lower end, degrees from north through east.",
                        verbose_name="azimuth min [deg]",
                    ),
                ),
                (
                    "azimuth_max_deg",
                    models.FloatField(
                        db_comment="Upper end, degrees from north through east.",
                        help_text="Upper end, degrees from north through east.",
                        verbose_name="azimuth max [deg]",
                    ),
                ),
                (
                    "rising",
                    models.BooleanField(
                        db_comment="Whether the field rises there.",
                        help_text="Whether the field rises there.",
                        verbose_name="rising",
                    ),
                ),
                (
                    "lst_start_hours",
                    models.FloatField(
                        blank=True,
                        db_comment="Local sidereal time of the start, hours in [0, 24).",
                        help_text="Local sidereal time of the start, hours in [0, 24).",
                        null=True,
                        verbose_name="LST start [h]",
                    ),
                ),
                (
                    "lst_end_hours",
                    models.FloatField(
                        blank=True,
                        db_comment="Local sidereal time of the end, hours in [0, 24); below the start past midnight.",
                        help_text="Local sidereal time of the end, hours in [0, 24); below the start past midnight.",
                        null=True,
                        verbose_name="LST end [h]",
                    ),
                ),
            ],
            options={
                "db_table": "azimuth_range",
                "db_table_comment": "A range of azimuth in which a field is scanned, rising or setting.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("azimuth_min_deg__gte", -360), ("azimuth_min_deg__lte", 720)),
                        name="azimuth_range_azimuth_min_deg_range",
                        violation_error_message="Azimuth min must be between -360 and 720°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("azimuth_max_deg__gte", -360), ("azimuth_max_deg__lte", 720)),
                        name="azimuth_range_azimuth_max_deg_range",
                        violation_error_message="Azimuth max must be between -360 and 720°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("azimuth_max_deg__gt", models.F("azimuth_min_deg"))),
                        name="azimuth_range_azimuth_max_deg_after_azimuth_min_deg",
                        violation_error_message="Azimuth max must be above azimuth min.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lst_start_hours__gte", 0), ("lst_start_hours__lt", 24)),
                        name="azimuth_range_lst_start_hours_range",
                        violation_error_message="LST start must be at least 0 and below 24 h.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lst_end_hours__gte", 0), ("lst_end_hours__lt", 24)),
                        name="azimuth_range_lst_end_hours_range",
                        violation_error_message="LST end must be at least 0 and below 24 h.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("azimuth_min_deg__gt", float("-inf")),
                            ("azimuth_min_deg__lt", float("inf")),
                            ("azimuth_max_deg__gt", float("-inf")),
                            ("azimuth_max_deg__lt", float("inf")),
                            ("lst_start_hours__gt", float("-inf")),
                            ("lst_start_hours__lt", float("inf")),
                            ("lst_end_hours__gt", float("-inf")),
                            ("lst_end_hours__lt", float("inf")),
                        ),
                        name="azimuth_range_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ObsMode",
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
                        db_comment="Name.", help_text="Name.", max_length=100, unique=True, verbose_name="name"
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What the telescope does.",
                        default="",
                        help_text="What the telescope does.",
                        verbose_name="description",
                    ),
                ),
                (
                    "needs_source",
                    models.BooleanField(
                        db_comment="Whether it looks at a source; retune and skydip don't.",
                        default=True,
                        help_text="Whether it looks at a source; retune and skydip don't.",
                        verbose_name="needs source",
                    ),
                ),
            ],
            options={
                "verbose_name": "observing mode",
                "db_table": "obs_mode",
                "db_table_comment": "A manner of observing, such as on-the-fly mapping or a skydip.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="obs_mode_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ObservationConfiguration",
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
                ("name", models.CharField(db_comment="Name.", help_text="Name.", max_length=200, verbose_name="name")),
                (
                    "version",
                    models.IntegerField(
                        db_comment="Version of the recipe; a change that matters makes a new one.",
                        default=1,
                        help_text="Version of the recipe; a change that matters makes a new one.",
                        verbose_name="version",
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
                    "parameters",
                    models.JSONField(
                        blank=True,
                        db_comment="Further parameters, a JSON object.",
                        default=dict,
                        help_text="Further parameters, a JSON object.",
                        verbose_name="parameters",
                    ),
                ),
            ],
            options={
                "db_table": "observation_configuration",
                "db_table_comment": "A versioned recipe of an observation.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "version"),
                        name="observation_configuration_unique_version",
                        violation_error_message="This version of the configuration exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gt", 0)),
                        name="observation_configuration_version_positive",
                        violation_error_message="Version must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("parameters"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("object"),
                        ),
                        name="observation_configuration_parameters_object",
                        violation_error_message='Parameters must be a JSON object, such as {"key": 1}.',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["chai", "prime_cam"])),
                        name="observation_configuration_type_known",
                        violation_error_message="Type must be one of: chai, prime_cam.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="observation_configuration_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChaiObservationConfiguration",
            fields=[
                (
                    "configuration_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The recipe that this details.",
                        help_text="The recipe that this details.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.observationconfiguration",
                        verbose_name="configuration ptr",
                    ),
                ),
                (
                    "reference_position_offset_ra_arcsec",
                    models.FloatField(
                        blank=True,
                        db_comment="Offset of the reference position in RA times cos(Dec), arcsec.",
                        help_text="Offset of the reference position in RA times cos(Dec), arcsec.",
                        null=True,
                        verbose_name="reference position offset RA [arcsec]",
                    ),
                ),
                (
                    "reference_position_offset_dec_arcsec",
                    models.FloatField(
                        blank=True,
                        db_comment="Offset of the reference position in Dec, arcsec.",
                        help_text="Offset of the reference position in Dec, arcsec.",
                        null=True,
                        verbose_name="reference position offset Dec [arcsec]",
                    ),
                ),
                (
                    "integration_time_seconds",
                    models.FloatField(
                        blank=True,
                        db_comment="Integration time per point, seconds.",
                        help_text="Integration time per point, seconds.",
                        null=True,
                        verbose_name="integration time [s]",
                    ),
                ),
                (
                    "switching_mode",
                    models.CharField(
                        blank=True,
                        db_comment="How the reference is taken, such as position or frequency.",
                        default="",
                        help_text="How the reference is taken, such as position or frequency.",
                        max_length=50,
                        verbose_name="switching mode",
                    ),
                ),
                (
                    "coordinate_frame",
                    models.CharField(
                        choices=[
                            ("icrs", "ICRS"),
                            ("fk4", "FK4"),
                            ("fk5", "FK5"),
                            ("galactic", "galactic"),
                            ("ecliptic", "ecliptic"),
                        ],
                        db_comment="Frame of offsets and tiles.",
                        default="icrs",
                        help_text="Frame of offsets and tiles.",
                        max_length=10,
                        verbose_name="coordinate frame",
                    ),
                ),
            ],
            options={
                "verbose_name": "CHAI observation configuration",
                "db_table": "chai_observation_configuration",
                "db_table_comment": "A recipe for CHAI, with its tiles and its inpar parameters.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("integration_time_seconds__gt", 0)),
                        name="chai_observation_configuration_integration_time_positive",
                        violation_error_message="Integration time must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("coordinate_frame__in", ["icrs", "fk4", "fk5", "galactic", "ecliptic"])),
                        name="chai_observation_configuration_coordinate_frame_known",
                        violation_error_message="Coordinate frame must be one of: icrs, fk4, fk5, galactic, ecliptic.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reference_position_offset_ra_arcsec__gt", float("-inf")),
                            ("reference_position_offset_ra_arcsec__lt", float("inf")),
                            ("reference_position_offset_dec_arcsec__gt", float("-inf")),
                            ("reference_position_offset_dec_arcsec__lt", float("inf")),
                            ("integration_time_seconds__gt", float("-inf")),
                            ("integration_time_seconds__lt", float("inf")),
                        ),
                        name="chai_observation_configuration_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
            bases=("opsdb.observationconfiguration",),
        ),
        migrations.CreateModel(
            name="PrimeCamObservationConfiguration",
            fields=[
                (
                    "configuration_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The recipe that this details.",
                        help_text="The recipe that this details.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.observationconfiguration",
                        verbose_name="configuration ptr",
                    ),
                ),
                (
                    "scan_type",
                    models.CharField(
                        db_comment="Pattern: constant_el, pong, daisy, stare and others.",
                        help_text="Pattern: constant_el, pong, daisy, stare and others.",
                        max_length=50,
                        verbose_name="scan type",
                    ),
                ),
                (
                    "width_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Width of the field, degrees.",
                        help_text="Width of the field, degrees.",
                        null=True,
                        verbose_name="width [deg]",
                    ),
                ),
                (
                    "height_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Height of the field, degrees.",
                        help_text="Height of the field, degrees.",
                        null=True,
                        verbose_name="height [deg]",
                    ),
                ),
                (
                    "velocity_deg_s",
                    models.FloatField(
                        blank=True,
                        db_comment="Speed of the scan, degrees per second.",
                        help_text="Speed of the scan, degrees per second.",
                        null=True,
                        verbose_name="velocity [deg/s]",
                    ),
                ),
                (
                    "spacing_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Distance between scan lines, degrees.",
                        help_text="Distance between scan lines, degrees.",
                        null=True,
                        verbose_name="spacing [deg]",
                    ),
                ),
                (
                    "angle_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Rotation of the pattern, degrees.",
                        help_text="Rotation of the pattern, degrees.",
                        null=True,
                        verbose_name="angle [deg]",
                    ),
                ),
                (
                    "elevation_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Elevation of the scan, degrees.",
                        help_text="Elevation of the scan, degrees.",
                        null=True,
                        verbose_name="elevation [deg]",
                    ),
                ),
            ],
            options={
                "verbose_name": "Prime-Cam observation configuration",
                "db_table": "prime_cam_observation_configuration",
                "db_table_comment": "A recipe for Prime-Cam: the shape and speed of the scan.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("width_deg__gte", 0)),
                        name="prime_cam_observation_configuration_width_deg_not_negative",
                        violation_error_message="Width must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("height_deg__gte", 0)),
                        name="prime_cam_observation_configuration_height_deg_not_negative",
                        violation_error_message="Height must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("velocity_deg_s__gte", 0)),
                        name="prime_cam_observation_configuration_velocity_deg_s_not_negative",
                        violation_error_message="Velocity must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("spacing_deg__gt", 0)),
                        name="prime_cam_observation_configuration_spacing_deg_positive",
                        violation_error_message="Spacing must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("angle_deg__gte", -360), ("angle_deg__lte", 360)),
                        name="prime_cam_observation_configuration_angle_deg_range",
                        violation_error_message="Angle must be between -360 and 360°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("elevation_deg__gte", 0), ("elevation_deg__lte", 90)),
                        name="prime_cam_observation_configuration_elevation_deg_range",
                        violation_error_message="Elevation must be between 0 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scan_type", ""), _negated=True),
                        name="prime_cam_observation_configuration_scan_type_not_blank",
                        violation_error_message="Scan type must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("width_deg__gt", float("-inf")),
                            ("width_deg__lt", float("inf")),
                            ("height_deg__gt", float("-inf")),
                            ("height_deg__lt", float("inf")),
                            ("velocity_deg_s__gt", float("-inf")),
                            ("velocity_deg_s__lt", float("inf")),
                            ("spacing_deg__gt", float("-inf")),
                            ("spacing_deg__lt", float("inf")),
                            ("angle_deg__gt", float("-inf")),
                            ("angle_deg__lt", float("inf")),
                            ("elevation_deg__gt", float("-inf")),
                            ("elevation_deg__lt", float("inf")),
                        ),
                        name="prime_cam_observation_configuration_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
            bases=("opsdb.observationconfiguration",),
        ),
        migrations.CreateModel(
            name="ChaiTiling",
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
                    "configuration",
                    models.ForeignKey(
                        db_comment="The recipe.",
                        help_text="The recipe.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tilings",
                        to="opsdb.chaiobservationconfiguration",
                        verbose_name="configuration",
                    ),
                ),
                (
                    "tile_index",
                    models.IntegerField(
                        db_comment="Number of the tile, unique in the recipe.",
                        help_text="Number of the tile, unique in the recipe.",
                        verbose_name="tile index",
                    ),
                ),
                (
                    "x_offset_arcsec",
                    models.FloatField(
                        db_comment="Offset of the centre along x, arcsec.",
                        default=0.0,
                        help_text="Offset of the centre along x, arcsec.",
                        verbose_name="x offset [arcsec]",
                    ),
                ),
                (
                    "y_offset_arcsec",
                    models.FloatField(
                        db_comment="Offset of the centre along y, arcsec.",
                        default=0.0,
                        help_text="Offset of the centre along y, arcsec.",
                        verbose_name="y offset [arcsec]",
                    ),
                ),
                (
                    "width_arcsec",
                    models.FloatField(
                        db_comment="Width, arcsec.", help_text="Width, arcsec.", verbose_name="width [arcsec]"
                    ),
                ),
                (
                    "height_arcsec",
                    models.FloatField(
                        db_comment="Height, arcsec.", help_text="Height, arcsec.", verbose_name="height [arcsec]"
                    ),
                ),
                (
                    "angle_deg",
                    models.FloatField(
                        db_comment="Rotation, degrees.",
                        default=0.0,
                        help_text="Rotation, degrees.",
                        verbose_name="angle [deg]",
                    ),
                ),
                (
                    "priority",
                    models.IntegerField(
                        db_comment="Higher is observed first.",
                        default=0,
                        help_text="Higher is observed first.",
                        verbose_name="priority",
                    ),
                ),
                (
                    "done",
                    models.BooleanField(
                        db_comment="Whether it has been observed.",
                        default=False,
                        help_text="Whether it has been observed.",
                        verbose_name="done",
                    ),
                ),
            ],
            options={
                "verbose_name": "CHAI tiling",
                "db_table": "chai_tiling",
                "db_table_comment": "One tile of the mosaic that a CHAI recipe maps.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("configuration", "tile_index"),
                        name="chai_tiling_unique_index",
                        violation_error_message="The configuration has a tile of this number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tile_index__gte", 0)),
                        name="chai_tiling_tile_index_not_negative",
                        violation_error_message="Tile index must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("width_arcsec__gt", 0)),
                        name="chai_tiling_width_arcsec_positive",
                        violation_error_message="Width must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("height_arcsec__gt", 0)),
                        name="chai_tiling_height_arcsec_positive",
                        violation_error_message="Height must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("angle_deg__gte", -360), ("angle_deg__lte", 360)),
                        name="chai_tiling_angle_deg_range",
                        violation_error_message="Angle must be between -360 and 360°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("x_offset_arcsec__gt", float("-inf")),
                            ("x_offset_arcsec__lt", float("inf")),
                            ("y_offset_arcsec__gt", float("-inf")),
                            ("y_offset_arcsec__lt", float("inf")),
                            ("width_arcsec__gt", float("-inf")),
                            ("width_arcsec__lt", float("inf")),
                            ("height_arcsec__gt", float("-inf")),
                            ("height_arcsec__lt", float("inf")),
                            ("angle_deg__gt", float("-inf")),
                            ("angle_deg__lt", float("inf")),
                        ),
                        name="chai_tiling_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChaiInparParameter",
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
                    "configuration",
                    models.ForeignKey(
                        db_comment="The recipe.",
                        help_text="The recipe.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inpar_parameters",
                        to="opsdb.chaiobservationconfiguration",
                        verbose_name="configuration",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        db_comment="Name of the parameter, unique in the recipe.",
                        help_text="Name of the parameter, unique in the recipe.",
                        max_length=100,
                        verbose_name="key",
                    ),
                ),
                (
                    "value",
                    models.TextField(
                        blank=True,
                        db_comment="Its value, as the control system reads it.",
                        default="",
                        help_text="Its value, as the control system reads it.",
                        verbose_name="value",
                    ),
                ),
                (
                    "comment",
                    models.TextField(
                        blank=True,
                        db_comment="What it does.",
                        default="",
                        help_text="What it does.",
                        verbose_name="comment",
                    ),
                ),
            ],
            options={
                "verbose_name": "CHAI inpar parameter",
                "db_table": "chai_inpar_parameter",
                "db_table_comment": "One parameter that a CHAI recipe hands to the control system.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("configuration", "key"),
                        name="chai_inpar_parameter_unique_key",
                        violation_error_message="The configuration has a parameter of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("key", ""), _negated=True),
                        name="chai_inpar_parameter_key_not_blank",
                        violation_error_message="Key must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ObsUnit",
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
                    "observing_program",
                    models.ForeignKey(
                        db_comment="Whose unit it is.",
                        db_index=False,
                        help_text="Whose unit it is.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="obs_units",
                        to="opsdb.observingprogram",
                        verbose_name="observing program",
                    ),
                ),
                (
                    "sub_observing_program",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Part of the same program, if any.",
                        help_text="Part of the same program, if any.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="obs_units",
                        to="opsdb.subobservingprogram",
                        verbose_name="sub observing program",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        db_comment="What is looked at; none only in modes that look at nothing on the sky.",
                        help_text="What is looked at; none only in modes that look at nothing on the sky.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="obs_units",
                        to="opsdb.source",
                        verbose_name="source",
                    ),
                ),
                (
                    "obs_mode",
                    models.ForeignKey(
                        db_comment="How it is observed.",
                        help_text="How it is observed.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="obs_units",
                        to="opsdb.obsmode",
                        verbose_name="observation mode",
                    ),
                ),
                (
                    "configuration",
                    models.ForeignKey(
                        db_comment="The recipe.",
                        help_text="The recipe.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="obs_units",
                        to="opsdb.observationconfiguration",
                        verbose_name="configuration",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Name, unique in the program.",
                        help_text="Name, unique in the program.",
                        max_length=200,
                        verbose_name="name",
                    ),
                ),
                (
                    "line_id",
                    models.CharField(
                        blank=True,
                        db_comment="Spectral line, such as CO43.",
                        default="",
                        help_text="Spectral line, such as CO43.",
                        max_length=50,
                        verbose_name="line ID",
                    ),
                ),
                (
                    "version",
                    models.IntegerField(
                        db_comment="Version of the unit's definition.",
                        default=1,
                        help_text="Version of the unit's definition.",
                        verbose_name="version",
                    ),
                ),
                (
                    "priority",
                    models.IntegerField(
                        db_comment="Higher is scheduled first.",
                        default=0,
                        help_text="Higher is scheduled first.",
                        verbose_name="priority",
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
                    "elevation_min_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Lowest elevation to observe at, degrees.",
                        help_text="Lowest elevation to observe at, degrees.",
                        null=True,
                        verbose_name="elevation min [deg]",
                    ),
                ),
                (
                    "elevation_max_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Highest elevation to observe at, degrees.",
                        help_text="Highest elevation to observe at, degrees.",
                        null=True,
                        verbose_name="elevation max [deg]",
                    ),
                ),
                (
                    "pwv_max_mm",
                    models.FloatField(
                        blank=True,
                        db_comment="Most precipitable water vapour to observe in, mm.",
                        help_text="Most precipitable water vapour to observe in, mm.",
                        null=True,
                        verbose_name="PWV max [mm]",
                    ),
                ),
                (
                    "planned_duration_seconds",
                    models.FloatField(
                        blank=True,
                        db_comment="Duration of one execution, seconds.",
                        help_text="Duration of one execution, seconds.",
                        null=True,
                        verbose_name="planned duration [s]",
                    ),
                ),
                (
                    "requested_executions",
                    models.IntegerField(
                        blank=True,
                        db_comment="How often it is to be executed.",
                        help_text="How often it is to be executed.",
                        null=True,
                        verbose_name="requested executions",
                    ),
                ),
                (
                    "lst_start_hours",
                    models.FloatField(
                        blank=True,
                        db_comment="Earliest local sidereal time, hours in [0, 24).",
                        help_text="Earliest local sidereal time, hours in [0, 24).",
                        null=True,
                        verbose_name="LST start [h]",
                    ),
                ),
                (
                    "lst_end_hours",
                    models.FloatField(
                        blank=True,
                        db_comment="Latest local sidereal time, hours in [0, 24); below the earliest past midnight.",
                        help_text="Latest local sidereal time, hours in [0, 24); below the earliest past midnight.",
                        null=True,
                        verbose_name="LST end [h]",
                    ),
                ),
                (
                    "comment",
                    models.TextField(
                        blank=True,
                        db_comment="What an observer should know.",
                        default="",
                        help_text="What an observer should know.",
                        verbose_name="comment",
                    ),
                ),
                (
                    "module_configurations",
                    models.ManyToManyField(
                        blank=True,
                        help_text="How the modules are set up.",
                        related_name="obs_units",
                        to="opsdb.instrumentmoduleconfiguration",
                        verbose_name="module configurations",
                    ),
                ),
            ],
            options={
                "verbose_name": "observation unit",
                "db_table": "obs_unit",
                "db_table_comment": "The smallest thing that can be scheduled: a source observed in one mode with one recipe.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("observing_program", "name"),
                        name="obs_unit_unique_name",
                        violation_error_message="The program has a unit of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gt", 0)),
                        name="obs_unit_version_positive",
                        violation_error_message="Version must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("elevation_min_deg__gte", 0), ("elevation_min_deg__lte", 90)),
                        name="obs_unit_elevation_min_deg_range",
                        violation_error_message="Elevation min must be between 0 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("elevation_max_deg__gte", 0), ("elevation_max_deg__lte", 90)),
                        name="obs_unit_elevation_max_deg_range",
                        violation_error_message="Elevation max must be between 0 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("elevation_max_deg__gte", models.F("elevation_min_deg"))),
                        name="obs_unit_elevation_max_deg_after_elevation_min_deg",
                        violation_error_message="Elevation max must be at or above elevation min.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pwv_max_mm__gt", 0)),
                        name="obs_unit_pwv_max_mm_positive",
                        violation_error_message="PWV max must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("planned_duration_seconds__gt", 0)),
                        name="obs_unit_planned_duration_seconds_positive",
                        violation_error_message="Planned duration must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("requested_executions__gt", 0)),
                        name="obs_unit_requested_executions_positive",
                        violation_error_message="Requested executions must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lst_start_hours__gte", 0), ("lst_start_hours__lt", 24)),
                        name="obs_unit_lst_start_hours_range",
                        violation_error_message="LST start must be at least 0 and below 24 h.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lst_end_hours__gte", 0), ("lst_end_hours__lt", 24)),
                        name="obs_unit_lst_end_hours_range",
                        violation_error_message="LST end must be at least 0 and below 24 h.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="obs_unit_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("elevation_min_deg__gt", float("-inf")),
                            ("elevation_min_deg__lt", float("inf")),
                            ("elevation_max_deg__gt", float("-inf")),
                            ("elevation_max_deg__lt", float("inf")),
                            ("pwv_max_mm__gt", float("-inf")),
                            ("pwv_max_mm__lt", float("inf")),
                            ("planned_duration_seconds__gt", float("-inf")),
                            ("planned_duration_seconds__lt", float("inf")),
                            ("lst_start_hours__gt", float("-inf")),
                            ("lst_start_hours__lt", float("inf")),
                            ("lst_end_hours__gt", float("-inf")),
                            ("lst_end_hours__lt", float("inf")),
                        ),
                        name="obs_unit_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PreScheduledSlot",
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
                    "obs_unit",
                    models.ForeignKey(
                        db_comment="What is observed.",
                        help_text="What is observed.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="slots",
                        to="opsdb.obsunit",
                        verbose_name="observation unit",
                    ),
                ),
                (
                    "telescope",
                    models.ForeignKey(
                        db_comment="The telescope that is taken.",
                        db_index=False,
                        help_text="The telescope that is taken.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="slots",
                        to="opsdb.telescope",
                        verbose_name="telescope",
                    ),
                ),
                (
                    "start_time",
                    models.DateTimeField(
                        db_comment="Start (UTC).", help_text="Start (UTC).", verbose_name="start time"
                    ),
                ),
                (
                    "end_time",
                    models.DateTimeField(
                        db_comment="End (UTC), not included.",
                        help_text="End (UTC), not included.",
                        verbose_name="end time",
                    ),
                ),
                (
                    "azimuth_min_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Lower end of the scan in azimuth, degrees.",
                        help_text="Lower end of the scan in azimuth, degrees.",
                        null=True,
                        verbose_name="azimuth min [deg]",
                    ),
                ),
                (
                    "azimuth_max_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Upper end of the scan in azimuth, degrees.",
                        help_text="Upper end of the scan in azimuth, degrees.",
                        null=True,
                        verbose_name="azimuth max [deg]",
                    ),
                ),
                (
                    "elevation_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Elevation, degrees.",
                        help_text="Elevation, degrees.",
                        null=True,
                        verbose_name="elevation [deg]",
                    ),
                ),
                (
                    "boresight_angle_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Rotation about the boresight, degrees.",
                        help_text="Rotation about the boresight, degrees.",
                        null=True,
                        verbose_name="boresight angle [deg]",
                    ),
                ),
                (
                    "scan_index",
                    models.IntegerField(
                        blank=True,
                        db_comment="Number of the scan or pass in the schedule; below 0 for a partial one.",
                        help_text="Number of the scan or pass in the schedule; below 0 for a partial one.",
                        null=True,
                        verbose_name="scan index",
                    ),
                ),
                (
                    "subscan_index",
                    models.IntegerField(
                        blank=True,
                        db_comment="Number of the part of the scan.",
                        help_text="Number of the part of the scan.",
                        null=True,
                        verbose_name="subscan index",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        blank=True,
                        db_comment="File that the slot came from.",
                        default="",
                        help_text="File that the slot came from.",
                        max_length=500,
                        verbose_name="origin",
                    ),
                ),
            ],
            options={
                "verbose_name": "pre-scheduled slot",
                "db_table": "pre_scheduled_slot",
                "db_table_comment": "A time at which the schedule gives the telescope to a unit.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end_time__gt", models.F("start_time"))),
                        name="pre_scheduled_slot_end_time_after_start_time",
                        violation_error_message="End time must be above start time.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                models.Func(
                                    models.F("start_time"),
                                    models.F("end_time"),
                                    function="tstzrange",
                                    output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                                ),
                                "&&",
                            ),
                            ("telescope", "="),
                        ],
                        name="pre_scheduled_slot_no_overlap",
                        violation_error_message="The telescope has another slot at that time.",
                    ),
                    models.UniqueConstraint(
                        fields=("telescope", "start_time"),
                        name="pre_scheduled_slot_unique_start",
                        violation_error_message="The telescope has a slot that starts then.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("azimuth_min_deg__gte", -360), ("azimuth_min_deg__lte", 720)),
                        name="pre_scheduled_slot_azimuth_min_deg_range",
                        violation_error_message="Azimuth min must be between -360 and 720°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("azimuth_max_deg__gte", -360), ("azimuth_max_deg__lte", 720)),
                        name="pre_scheduled_slot_azimuth_max_deg_range",
                        violation_error_message="Azimuth max must be between -360 and 720°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("azimuth_max_deg__gte", models.F("azimuth_min_deg"))),
                        name="pre_scheduled_slot_azimuth_max_deg_after_azimuth_min_deg",
                        violation_error_message="Azimuth max must be at or above azimuth min.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("elevation_deg__gte", 0), ("elevation_deg__lte", 90)),
                        name="pre_scheduled_slot_elevation_deg_range",
                        violation_error_message="Elevation must be between 0 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("subscan_index__gte", 0)),
                        name="pre_scheduled_slot_subscan_index_not_negative",
                        violation_error_message="Subscan index must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("azimuth_min_deg__gt", float("-inf")),
                            ("azimuth_min_deg__lt", float("inf")),
                            ("azimuth_max_deg__gt", float("-inf")),
                            ("azimuth_max_deg__lt", float("inf")),
                            ("elevation_deg__gt", float("-inf")),
                            ("elevation_deg__lt", float("inf")),
                            ("boresight_angle_deg__gt", float("-inf")),
                            ("boresight_angle_deg__lt", float("inf")),
                        ),
                        name="pre_scheduled_slot_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
                "indexes": [models.Index(fields=["start_time"], name="pre_scheduled_slot_by_start")],
            },
        ),
        migrations.CreateModel(
            name="TimeAllocation",
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
                    "observing_program",
                    models.ForeignKey(
                        db_comment="Who may observe.",
                        db_index=False,
                        help_text="Who may observe.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="time_allocations",
                        to="opsdb.observingprogram",
                        verbose_name="observing program",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        db_comment="With what.",
                        help_text="With what.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="time_allocations",
                        to="opsdb.instrument",
                        verbose_name="instrument",
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        db_comment="Name of the period, such as 2026B.",
                        help_text="Name of the period, such as 2026B.",
                        max_length=50,
                        verbose_name="period",
                    ),
                ),
                (
                    "start_date",
                    models.DateField(
                        db_comment="First day (UTC).", help_text="First day (UTC).", verbose_name="start date"
                    ),
                ),
                (
                    "end_date",
                    models.DateField(
                        db_comment="Day after the last day (UTC).",
                        help_text="Day after the last day (UTC).",
                        verbose_name="end date",
                    ),
                ),
                (
                    "hours",
                    models.FloatField(
                        db_comment="Allocated time, hours.", help_text="Allocated time, hours.", verbose_name="hours"
                    ),
                ),
            ],
            options={
                "db_table": "time_allocation",
                "db_table_comment": "Hours that a program may observe with an instrument in a period.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("observing_program", "instrument", "period"),
                        name="time_allocation_unique_period",
                        violation_error_message="The program has an allocation for this instrument and period.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end_date__gt", models.F("start_date"))),
                        name="time_allocation_end_date_after_start_date",
                        violation_error_message="End date must be above start date.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hours__gt", 0)),
                        name="time_allocation_hours_positive",
                        violation_error_message="Hours must be above 0.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                models.Func(
                                    models.F("start_date"),
                                    models.F("end_date"),
                                    function="daterange",
                                    output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                                ),
                                "&&",
                            ),
                            ("observing_program", "="),
                            ("instrument", "="),
                        ],
                        name="time_allocation_no_overlap",
                        violation_error_message="The program has another allocation for this instrument at that time.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period", ""), _negated=True),
                        name="time_allocation_period_not_blank",
                        violation_error_message="Period must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hours__gt", float("-inf")), ("hours__lt", float("inf"))),
                        name="time_allocation_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Downtime",
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
                        blank=True,
                        db_comment="What is down, if a telescope.",
                        help_text="What is down, if a telescope.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downtimes",
                        to="opsdb.telescope",
                        verbose_name="telescope",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        blank=True,
                        db_comment="What is down, if an instrument.",
                        help_text="What is down, if an instrument.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downtimes",
                        to="opsdb.instrument",
                        verbose_name="instrument",
                    ),
                ),
                (
                    "instrument_module",
                    models.ForeignKey(
                        blank=True,
                        db_comment="What is down, if a module.",
                        help_text="What is down, if a module.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downtimes",
                        to="opsdb.instrumentmodule",
                        verbose_name="instrument module",
                    ),
                ),
                (
                    "start_time",
                    models.DateTimeField(
                        db_comment="Start (UTC).", help_text="Start (UTC).", verbose_name="start time"
                    ),
                ),
                (
                    "end_time",
                    models.DateTimeField(
                        blank=True,
                        db_comment="End (UTC); empty while it lasts.",
                        help_text="End (UTC); empty while it lasts.",
                        null=True,
                        verbose_name="end time",
                    ),
                ),
                ("reason", models.TextField(db_comment="Why.", help_text="Why.", verbose_name="reason")),
                (
                    "reported_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who reported it.",
                        help_text="Who reported it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="reported by",
                    ),
                ),
            ],
            options={
                "db_table": "downtime",
                "db_table_comment": "A time in which a telescope, an instrument or a module can't be used.",
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("telescope"),
                                models.F("instrument"),
                                models.F("instrument_module"),
                                function="num_nonnulls",
                                output_field=models.IntegerField(),
                            ),
                            models.Value(1),
                        ),
                        name="downtime_one_target",
                        violation_error_message="Name exactly one of telescope, instrument and instrument module.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end_time__gt", models.F("start_time"))),
                        name="downtime_end_time_after_start_time",
                        violation_error_message="End time must be above start time.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="downtime_reason_not_blank",
                        violation_error_message="Reason must not be blank.",
                    ),
                ],
                "indexes": [models.Index(fields=["start_time"], name="downtime_by_start")],
            },
        ),
    ]
