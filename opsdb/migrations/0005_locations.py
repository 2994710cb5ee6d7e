import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0004_execution"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
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
                        db_comment="Lower-case letters and digits; the names of its queues start with it.",
                        help_text="Lower-case letters and digits; the names of its queues start with it.",
                        max_length=30,
                        unique=True,
                        verbose_name="short name",
                    ),
                ),
                (
                    "location",
                    models.TextField(
                        blank=True,
                        db_comment="Where it is.",
                        default="",
                        help_text="Where it is.",
                        verbose_name="location",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it does.",
                        default="",
                        help_text="What it does.",
                        verbose_name="description",
                    ),
                ),
            ],
            options={
                "db_table": "site",
                "db_table_comment": "A place with computers: the observatory, a data centre, an archive.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("short_name__regex", "^[a-z0-9]+$")),
                        name="site_short_name_format",
                        violation_error_message="The short name must be lower-case letters and digits.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="site_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("short_name", ""), _negated=True),
                        name="site_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DataLocation",
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
                    "site",
                    models.ForeignKey(
                        db_comment="Where it is.",
                        db_index=False,
                        help_text="Where it is.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_locations",
                        to="opsdb.site",
                        verbose_name="site",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Lower-case letters, digits and '_', unique at the site.",
                        help_text="Lower-case letters, digits and '_', unique at the site.",
                        max_length=60,
                        verbose_name="name",
                    ),
                ),
                (
                    "location_type",
                    models.CharField(
                        choices=[
                            ("source", "source"),
                            ("buffer", "buffer"),
                            ("long_term_archive", "long-term archive"),
                            ("processing", "processing"),
                        ],
                        db_comment="What it is for; fixed once set.",
                        help_text="What it is for; fixed once set.",
                        max_length=20,
                        verbose_name="location type",
                    ),
                ),
                (
                    "storage_type",
                    models.CharField(
                        choices=[("disk", "disk"), ("s3", "S3"), ("tape", "tape")],
                        db_comment="Kind of storage; set by its class.",
                        editable=False,
                        help_text="Kind of storage; set by its class.",
                        max_length=10,
                        verbose_name="storage type",
                    ),
                ),
                (
                    "priority",
                    models.IntegerField(
                        db_comment="Lowest is used first; several buffers give fail-over.",
                        default=0,
                        help_text="Lowest is used first; several buffers give fail-over.",
                        verbose_name="priority",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        db_comment="Whether new data may go there.",
                        default=True,
                        help_text="Whether new data may go there.",
                        verbose_name="active",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The instrument that writes there; only for source locations.",
                        help_text="The instrument that writes there; only for source locations.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_locations",
                        to="opsdb.instrument",
                        verbose_name="instrument",
                    ),
                ),
                (
                    "capacity_bytes",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Capacity, bytes.",
                        help_text="Capacity, bytes.",
                        null=True,
                        verbose_name="capacity [bytes]",
                    ),
                ),
                (
                    "retention_days",
                    models.IntegerField(
                        blank=True,
                        db_comment="Days to keep data there; empty keeps them.",
                        help_text="Days to keep data there; empty keeps them.",
                        null=True,
                        verbose_name="retention [days]",
                    ),
                ),
                (
                    "deletion_threshold_percent",
                    models.FloatField(
                        blank=True,
                        db_comment="Fill level above which data may go before their retention is over, per cent.",
                        help_text="Fill level above which data may go before their retention is over, per cent.",
                        null=True,
                        verbose_name="deletion threshold [per cent]",
                    ),
                ),
                (
                    "fixity_interval_days",
                    models.IntegerField(
                        blank=True,
                        db_comment="Days after which a copy's checksum is due to be verified again.",
                        help_text="Days after which a copy's checksum is due to be verified again.",
                        null=True,
                        verbose_name="fixity interval [days]",
                    ),
                ),
                (
                    "comment",
                    models.TextField(
                        blank=True,
                        db_comment="What an operator should know.",
                        default="",
                        help_text="What an operator should know.",
                        verbose_name="comment",
                    ),
                ),
            ],
            options={
                "db_table": "data_location",
                "db_table_comment": "A place at a site that holds data for one purpose.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "name"),
                        name="data_location_unique_name",
                        violation_error_message="The site has a location of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^[a-z0-9_]+$")),
                        name="data_location_name_format",
                        violation_error_message="The name must be lower-case letters, digits and '_'.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("instrument__isnull", False), _negated=True),
                            ("location_type", "source"),
                            _connector="OR",
                        ),
                        name="data_location_instrument_only_at_source",
                        violation_error_message="Only a source location belongs to an instrument.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("capacity_bytes__gt", 0)),
                        name="data_location_capacity_bytes_positive",
                        violation_error_message="Capacity must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("retention_days__gte", 0)),
                        name="data_location_retention_days_not_negative",
                        violation_error_message="Retention must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deletion_threshold_percent__gte", 0), ("deletion_threshold_percent__lte", 100)
                        ),
                        name="data_location_deletion_threshold_percent_range",
                        violation_error_message="Deletion threshold must be between 0 and 100 per cent.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fixity_interval_days__gt", 0)),
                        name="data_location_fixity_interval_days_positive",
                        violation_error_message="Fixity interval must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="data_location_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("location_type__in", ["source", "buffer", "long_term_archive", "processing"])
                        ),
                        name="data_location_location_type_known",
                        violation_error_message="Location type must be one of: source, buffer, long_term_archive, processing.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("storage_type__in", ["disk", "s3", "tape"])),
                        name="data_location_storage_type_known",
                        violation_error_message="Storage type must be one of: disk, s3, tape.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deletion_threshold_percent__gt", float("-inf")),
                            ("deletion_threshold_percent__lt", float("inf")),
                        ),
                        name="data_location_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DiskDataLocation",
            fields=[
                (
                    "location_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The location that this folder is.",
                        help_text="The location that this folder is.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.datalocation",
                        verbose_name="location ptr",
                    ),
                ),
                (
                    "host",
                    models.CharField(
                        blank=True,
                        db_comment="Computer; empty for a local disk.",
                        default="",
                        help_text="Computer; empty for a local disk.",
                        max_length=255,
                        verbose_name="host",
                    ),
                ),
                (
                    "user",
                    models.CharField(
                        blank=True,
                        db_comment="Account to reach it with.",
                        default="",
                        help_text="Account to reach it with.",
                        max_length=100,
                        verbose_name="user",
                    ),
                ),
                (
                    "path",
                    models.CharField(
                        db_comment="Absolute path of the folder.",
                        help_text="Absolute path of the folder.",
                        max_length=1000,
                        verbose_name="path",
                    ),
                ),
            ],
            options={
                "db_table": "disk_data_location",
                "db_table_comment": "A folder on a computer.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("path__regex", "^/"), models.Q(("path__regex", "(^|/)\\.\\.(/|$)"), _negated=True)
                        ),
                        name="disk_data_location_path_absolute",
                        violation_error_message="The path must be absolute and without '..'.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("path", ""), _negated=True),
                        name="disk_data_location_path_not_blank",
                        violation_error_message="Path must not be blank.",
                    ),
                ],
            },
            bases=("opsdb.datalocation",),
        ),
        migrations.CreateModel(
            name="S3DataLocation",
            fields=[
                (
                    "location_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The location that this bucket is.",
                        help_text="The location that this bucket is.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.datalocation",
                        verbose_name="location ptr",
                    ),
                ),
                (
                    "bucket",
                    models.CharField(
                        db_comment="Name of the bucket.",
                        help_text="Name of the bucket.",
                        max_length=255,
                        verbose_name="bucket",
                    ),
                ),
                (
                    "endpoint_url",
                    models.URLField(
                        blank=True,
                        db_comment="Address of the service; empty for the default one.",
                        default="",
                        help_text="Address of the service; empty for the default one.",
                        verbose_name="endpoint URL",
                    ),
                ),
                (
                    "region",
                    models.CharField(
                        blank=True,
                        db_comment="Region.",
                        default="",
                        help_text="Region.",
                        max_length=100,
                        verbose_name="region",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True,
                        db_comment="What the keys start with.",
                        default="",
                        help_text="What the keys start with.",
                        max_length=500,
                        verbose_name="prefix",
                    ),
                ),
            ],
            options={
                "verbose_name": "S3 data location",
                "db_table": "s3_data_location",
                "db_table_comment": "A bucket of an S3 object store. Its credentials are in the environment, never in the database.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("bucket", ""), _negated=True),
                        name="s3_data_location_bucket_not_blank",
                        violation_error_message="Bucket must not be blank.",
                    )
                ],
            },
            bases=("opsdb.datalocation",),
        ),
        migrations.CreateModel(
            name="TapeDataLocation",
            fields=[
                (
                    "location_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The location that this pool is.",
                        help_text="The location that this pool is.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="opsdb.datalocation",
                        verbose_name="location ptr",
                    ),
                ),
                (
                    "library",
                    models.CharField(
                        db_comment="Tape library.", help_text="Tape library.", max_length=200, verbose_name="library"
                    ),
                ),
                (
                    "pool",
                    models.CharField(
                        blank=True,
                        db_comment="Pool in the library.",
                        default="",
                        help_text="Pool in the library.",
                        max_length=200,
                        verbose_name="pool",
                    ),
                ),
                (
                    "mount_path",
                    models.CharField(
                        blank=True,
                        db_comment="Absolute path at which it is seen.",
                        default="",
                        help_text="Absolute path at which it is seen.",
                        max_length=1000,
                        verbose_name="mount path",
                    ),
                ),
            ],
            options={
                "db_table": "tape_data_location",
                "db_table_comment": "A pool of tapes.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("mount_path", ""),
                            models.Q(
                                ("mount_path__regex", "^/"),
                                models.Q(("mount_path__regex", "(^|/)\\.\\.(/|$)"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="tape_data_location_mount_path_absolute",
                        violation_error_message="The path must be absolute and without '..'.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("library", ""), _negated=True),
                        name="tape_data_location_library_not_blank",
                        violation_error_message="Library must not be blank.",
                    ),
                ],
            },
            bases=("opsdb.datalocation",),
        ),
        migrations.CreateModel(
            name="DataLocationUsage",
            fields=[
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
                    "data_location",
                    models.ForeignKey(
                        db_comment="The location.",
                        help_text="The location.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usage",
                        to="opsdb.datalocation",
                        verbose_name="data location",
                    ),
                ),
                (
                    "copies",
                    models.BigIntegerField(
                        db_comment="Copies added, or taken if below 0.",
                        help_text="Copies added, or taken if below 0.",
                        verbose_name="copies",
                    ),
                ),
                (
                    "bytes",
                    models.BigIntegerField(
                        db_comment="Bytes added, or taken if below 0.",
                        help_text="Bytes added, or taken if below 0.",
                        verbose_name="bytes",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "data location usage",
                "db_table": "data_location_usage",
                "db_table_comment": "What one statement added to or took from a location; the sum over a location is what it holds.",
            },
        ),
    ]
