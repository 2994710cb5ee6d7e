import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0007_transfer"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LongTermArchiveTransfer",
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
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("scheduled", "scheduled"),
                            ("in_progress", "in progress"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                        ],
                        db_comment="Where the work stands.",
                        default="pending",
                        help_text="Where the work stands.",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "retry_count",
                    models.IntegerField(
                        db_comment="How often the work was tried again after a failure.",
                        default=0,
                        help_text="How often the work was tried again after a failure.",
                        verbose_name="retry count",
                    ),
                ),
                (
                    "max_retries",
                    models.IntegerField(
                        db_comment="How often it may be tried again before it stays failed.",
                        default=3,
                        help_text="How often it may be tried again before it stays failed.",
                        verbose_name="max retries",
                    ),
                ),
                (
                    "failure_message",
                    models.TextField(
                        blank=True,
                        db_comment="What went wrong last; long text is in files.",
                        default="",
                        help_text="What went wrong last; long text is in files.",
                        verbose_name="failure message",
                    ),
                ),
                (
                    "claimed_by",
                    models.CharField(
                        blank=True,
                        db_comment="The worker that holds the work.",
                        default="",
                        help_text="The worker that holds the work.",
                        max_length=200,
                        verbose_name="claimed by",
                    ),
                ),
                (
                    "scheduled_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was handed to a queue (UTC).",
                        help_text="When it was handed to a queue (UTC).",
                        null=True,
                        verbose_name="scheduled at",
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When a worker began (UTC).",
                        help_text="When a worker began (UTC).",
                        null=True,
                        verbose_name="started at",
                    ),
                ),
                (
                    "heartbeat_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="Last sign of life of the worker (UTC).",
                        help_text="Last sign of life of the worker (UTC).",
                        null=True,
                        verbose_name="heartbeat at",
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was completed or given up (UTC).",
                        help_text="When it was completed or given up (UTC).",
                        null=True,
                        verbose_name="finished at",
                    ),
                ),
                (
                    "raw_data_package",
                    models.ForeignKey(
                        db_comment="What is archived.",
                        db_index=False,
                        help_text="What is archived.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="archive_transfers",
                        to="opsdb.rawdatapackage",
                        verbose_name="raw data package",
                    ),
                ),
                (
                    "origin_location",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Where it is read from; empty until that is decided.",
                        help_text="Where it is read from; empty until that is decided.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outgoing_archive_transfers",
                        to="opsdb.datalocation",
                        verbose_name="origin location",
                    ),
                ),
                (
                    "destination_location",
                    models.ForeignKey(
                        db_comment="The archive.",
                        help_text="The archive.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incoming_archive_transfers",
                        to="opsdb.datalocation",
                        verbose_name="destination location",
                    ),
                ),
            ],
            options={
                "verbose_name": "long-term archive transfer",
                "db_table": "long_term_archive_transfer",
                "db_table_comment": "The move of one raw package into one long-term archive.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("retry_count__gte", 0)),
                        name="long_term_archive_transfer_retry_count_not_negative",
                        violation_error_message="Retry count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("max_retries__gte", 0)),
                        name="long_term_archive_transfer_max_retries_not_negative",
                        violation_error_message="Max retries must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), _negated=True),
                            models.Q(("failure_message", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="long_term_archive_transfer_failed_has_message",
                        violation_error_message="A failed row must say what went wrong.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "in_progress"), _negated=True),
                            ("started_at__isnull", False),
                            _connector="OR",
                        ),
                        name="long_term_archive_transfer_in_progress_has_start",
                        violation_error_message="Work in progress must say when it started.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["completed", "failed"]), ("finished_at__isnull", False)),
                            models.Q(
                                models.Q(("status__in", ["completed", "failed"]), _negated=True),
                                ("finished_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="long_term_archive_transfer_finished_at_when_finished",
                        violation_error_message="Finished at is set exactly when the work is completed or failed.",
                    ),
                    models.UniqueConstraint(
                        fields=("raw_data_package", "destination_location"),
                        name="long_term_archive_transfer_unique_destination",
                        violation_error_message="The package has a transfer into this archive.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("destination_location", models.F("origin_location")), _negated=True),
                        name="long_term_archive_transfer_destination_location_differs",
                        violation_error_message="A transfer must end at another location than it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "scheduled", "in_progress", "completed", "failed"])
                        ),
                        name="long_term_archive_transfer_status_known",
                        violation_error_message="Status must be one of: pending, scheduled, in_progress, completed, failed.",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "scheduled", "in_progress", "failed"])),
                        fields=["status", "created_at"],
                        name="long_term_archive_transfer_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LongTermArchiveTransferLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        db_comment="Number of the line.",
                        help_text="Number of the line.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "logged_at",
                    models.DateTimeField(
                        db_comment="When it was written (UTC).",
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="When it was written (UTC).",
                        verbose_name="logged at",
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[("debug", "debug"), ("info", "info"), ("warning", "warning"), ("error", "error")],
                        db_comment="How serious it is.",
                        default="info",
                        help_text="How serious it is.",
                        max_length=10,
                        verbose_name="level",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        blank=True,
                        db_comment="State of the work at that moment.",
                        default="",
                        help_text="State of the work at that moment.",
                        max_length=30,
                        verbose_name="status",
                    ),
                ),
                (
                    "message",
                    models.CharField(
                        db_comment="What happened, shortly; long text stays in files.",
                        help_text="What happened, shortly; long text stays in files.",
                        max_length=1000,
                        verbose_name="message",
                    ),
                ),
                (
                    "log_path",
                    models.CharField(
                        blank=True,
                        db_comment="File with the whole text.",
                        default="",
                        help_text="File with the whole text.",
                        max_length=1000,
                        verbose_name="log path",
                    ),
                ),
                (
                    "long_term_archive_transfer",
                    models.ForeignKey(
                        db_comment="The transfer.",
                        db_index=False,
                        help_text="The transfer.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="log",
                        to="opsdb.longtermarchivetransfer",
                        verbose_name="long term archive transfer",
                    ),
                ),
            ],
            options={
                "verbose_name": "long-term archive transfer log",
                "db_table": "long_term_archive_transfer_log",
                "db_table_comment": "A line about one archive transfer.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("level__in", ["debug", "info", "warning", "error"])),
                        name="long_term_archive_transfer_log_level_known",
                        violation_error_message="Level must be one of: debug, info, warning, error.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("message", ""), _negated=True),
                        name="long_term_archive_transfer_log_message_not_blank",
                        violation_error_message="Message must not be blank.",
                    ),
                ],
                "indexes": [
                    models.Index(
                        fields=["long_term_archive_transfer", "logged_at"],
                        name="long_term_archive_transfer_log_by_transfer",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StagingJob",
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
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("scheduled", "scheduled"),
                            ("in_progress", "in progress"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                        ],
                        db_comment="Where the work stands.",
                        default="pending",
                        help_text="Where the work stands.",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "retry_count",
                    models.IntegerField(
                        db_comment="How often the work was tried again after a failure.",
                        default=0,
                        help_text="How often the work was tried again after a failure.",
                        verbose_name="retry count",
                    ),
                ),
                (
                    "max_retries",
                    models.IntegerField(
                        db_comment="How often it may be tried again before it stays failed.",
                        default=3,
                        help_text="How often it may be tried again before it stays failed.",
                        verbose_name="max retries",
                    ),
                ),
                (
                    "failure_message",
                    models.TextField(
                        blank=True,
                        db_comment="What went wrong last; long text is in files.",
                        default="",
                        help_text="What went wrong last; long text is in files.",
                        verbose_name="failure message",
                    ),
                ),
                (
                    "claimed_by",
                    models.CharField(
                        blank=True,
                        db_comment="The worker that holds the work.",
                        default="",
                        help_text="The worker that holds the work.",
                        max_length=200,
                        verbose_name="claimed by",
                    ),
                ),
                (
                    "scheduled_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was handed to a queue (UTC).",
                        help_text="When it was handed to a queue (UTC).",
                        null=True,
                        verbose_name="scheduled at",
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When a worker began (UTC).",
                        help_text="When a worker began (UTC).",
                        null=True,
                        verbose_name="started at",
                    ),
                ),
                (
                    "heartbeat_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="Last sign of life of the worker (UTC).",
                        help_text="Last sign of life of the worker (UTC).",
                        null=True,
                        verbose_name="heartbeat at",
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was completed or given up (UTC).",
                        help_text="When it was completed or given up (UTC).",
                        null=True,
                        verbose_name="finished at",
                    ),
                ),
                (
                    "destination_location",
                    models.ForeignKey(
                        db_comment="The processing location.",
                        help_text="The processing location.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staging_jobs",
                        to="opsdb.datalocation",
                        verbose_name="destination location",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who asked.",
                        help_text="Who asked.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
                (
                    "purpose",
                    models.TextField(
                        blank=True,
                        db_comment="What the data are needed for.",
                        default="",
                        help_text="What the data are needed for.",
                        verbose_name="purpose",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        db_comment="Whether the staged data are still needed.",
                        default=True,
                        help_text="Whether the staged data are still needed.",
                        verbose_name="active",
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When they are no longer needed (UTC).",
                        help_text="When they are no longer needed (UTC).",
                        null=True,
                        verbose_name="expires at",
                    ),
                ),
                (
                    "raw_data_packages",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Raw packages to stage.",
                        related_name="staging_jobs",
                        to="opsdb.rawdatapackage",
                        verbose_name="raw data packages",
                    ),
                ),
            ],
            options={
                "db_table": "staging_job",
                "db_table_comment": "A wish to have packages or products at a processing location for a while.",
            },
        ),
    ]
