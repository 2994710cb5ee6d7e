import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0006_data"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataTransferRoute",
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
                    "origin_site",
                    models.ForeignKey(
                        db_comment="Where it begins.",
                        help_text="Where it begins.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outgoing_routes",
                        to="opsdb.site",
                        verbose_name="origin site",
                    ),
                ),
                (
                    "destination_site",
                    models.ForeignKey(
                        db_comment="Where it ends.",
                        help_text="Where it ends.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incoming_routes",
                        to="opsdb.site",
                        verbose_name="destination site",
                    ),
                ),
                (
                    "route_type",
                    models.CharField(
                        choices=[("direct", "direct"), ("relay", "relay"), ("custom", "custom")],
                        db_comment="Direct, by a relay site, or between two locations.",
                        default="direct",
                        help_text="Direct, by a relay site, or between two locations.",
                        max_length=10,
                        verbose_name="route type",
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        db_comment="Program that carries the data, such as bbcp.",
                        help_text="Program that carries the data, such as bbcp.",
                        max_length=50,
                        verbose_name="method",
                    ),
                ),
                (
                    "relay_site",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The site between, for a relay.",
                        help_text="The site between, for a relay.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="relayed_routes",
                        to="opsdb.site",
                        verbose_name="relay site",
                    ),
                ),
                (
                    "origin_location",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Where it begins, for a custom route.",
                        help_text="Where it begins, for a custom route.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outgoing_routes",
                        to="opsdb.datalocation",
                        verbose_name="origin location",
                    ),
                ),
                (
                    "destination_location",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Where it ends, for a custom route.",
                        help_text="Where it ends, for a custom route.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incoming_routes",
                        to="opsdb.datalocation",
                        verbose_name="destination location",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        db_comment="Whether it is in use.",
                        default=True,
                        help_text="Whether it is in use.",
                        verbose_name="active",
                    ),
                ),
                (
                    "priority",
                    models.IntegerField(
                        db_comment="Lowest is used first.",
                        default=0,
                        help_text="Lowest is used first.",
                        verbose_name="priority",
                    ),
                ),
            ],
            options={
                "db_table": "data_transfer_route",
                "db_table_comment": "A way that data may take from one site to another.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("destination_site", models.F("origin_site")), _negated=True),
                        name="data_transfer_route_destination_site_differs",
                        violation_error_message="A route must end at another site than it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("destination_location__isnull", True),
                                ("origin_location__isnull", True),
                                ("relay_site__isnull", True),
                                ("route_type", "direct"),
                            ),
                            models.Q(
                                ("destination_location__isnull", True),
                                ("origin_location__isnull", True),
                                ("relay_site__isnull", False),
                                ("route_type", "relay"),
                            ),
                            models.Q(
                                ("destination_location__isnull", False),
                                ("origin_location__isnull", False),
                                ("relay_site__isnull", True),
                                ("route_type", "custom"),
                            ),
                            _connector="OR",
                        ),
                        name="data_transfer_route_ends_fit_type",
                        violation_error_message="A relay route names a relay site, a custom route both locations, a direct route neither.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("relay_site", models.F("origin_site")), _negated=True),
                            models.Q(("relay_site", models.F("destination_site")), _negated=True),
                        ),
                        name="data_transfer_route_relay_differs",
                        violation_error_message="The relay site must be another site than the ends.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="data_transfer_route_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("route_type__in", ["direct", "relay", "custom"])),
                        name="data_transfer_route_route_type_known",
                        violation_error_message="Route type must be one of: direct, relay, custom.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("method", ""), _negated=True),
                        name="data_transfer_route_method_not_blank",
                        violation_error_message="Method must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DataTransfer",
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
                    "data_transfer_package",
                    models.ForeignKey(
                        db_comment="What travels.",
                        help_text="What travels.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_transfers",
                        to="opsdb.datatransferpackage",
                        verbose_name="data transfer package",
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The route it takes; empty where the topology gave it.",
                        help_text="The route it takes; empty where the topology gave it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_transfers",
                        to="opsdb.datatransferroute",
                        verbose_name="route",
                    ),
                ),
                (
                    "origin_location",
                    models.ForeignKey(
                        db_comment="Where it starts.",
                        help_text="Where it starts.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outgoing_transfers",
                        to="opsdb.datalocation",
                        verbose_name="origin location",
                    ),
                ),
                (
                    "destination_location",
                    models.ForeignKey(
                        db_comment="Where it goes.",
                        help_text="Where it goes.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incoming_transfers",
                        to="opsdb.datalocation",
                        verbose_name="destination location",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("primary", "primary"), ("secondary", "secondary")],
                        db_comment="Primary: from the observatory; secondary: from archive to archive.",
                        default="primary",
                        help_text="Primary: from the observatory; secondary: from archive to archive.",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        db_comment="Program that carries the data, such as bbcp.",
                        help_text="Program that carries the data, such as bbcp.",
                        max_length=50,
                        verbose_name="method",
                    ),
                ),
                (
                    "unpack_status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("scheduled", "scheduled"),
                            ("in_progress", "in progress"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                        ],
                        db_comment="Where the unpacking stands.",
                        default="pending",
                        help_text="Where the unpacking stands.",
                        max_length=16,
                        verbose_name="unpack status",
                    ),
                ),
                (
                    "unpack_retry_count",
                    models.IntegerField(
                        db_comment="How often the unpacking was tried again.",
                        default=0,
                        help_text="How often the unpacking was tried again.",
                        verbose_name="unpack retry count",
                    ),
                ),
                (
                    "unpack_failure_message",
                    models.TextField(
                        blank=True,
                        db_comment="What went wrong last in unpacking.",
                        default="",
                        help_text="What went wrong last in unpacking.",
                        verbose_name="unpack failure message",
                    ),
                ),
                (
                    "unpack_claimed_by",
                    models.CharField(
                        blank=True,
                        db_comment="The worker that unpacks or unpacked it.",
                        default="",
                        help_text="The worker that unpacks or unpacked it.",
                        max_length=200,
                        verbose_name="unpack claimed by",
                    ),
                ),
                (
                    "unpack_heartbeat_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="Last sign of life of the worker that unpacks (UTC).",
                        help_text="Last sign of life of the worker that unpacks (UTC).",
                        null=True,
                        verbose_name="unpack heartbeat at",
                    ),
                ),
                (
                    "unpacked_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was unpacked (UTC).",
                        help_text="When it was unpacked (UTC).",
                        null=True,
                        verbose_name="unpacked at",
                    ),
                ),
                (
                    "bytes_transferred",
                    models.BigIntegerField(
                        db_comment="Bytes that have arrived.",
                        default=0,
                        help_text="Bytes that have arrived.",
                        verbose_name="bytes transferred",
                    ),
                ),
                (
                    "depends_on",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The hop before this one, for a relay.",
                        help_text="The hop before this one, for a relay.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="next_hops",
                        to="opsdb.datatransfer",
                        verbose_name="depends on",
                    ),
                ),
            ],
            options={
                "db_table": "data_transfer",
                "db_table_comment": "One journey of a transfer package from one location to another, and its unpacking there.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("retry_count__gte", 0)),
                        name="data_transfer_retry_count_not_negative",
                        violation_error_message="Retry count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("max_retries__gte", 0)),
                        name="data_transfer_max_retries_not_negative",
                        violation_error_message="Max retries must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), _negated=True),
                            models.Q(("failure_message", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="data_transfer_failed_has_message",
                        violation_error_message="A failed row must say what went wrong.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "in_progress"), _negated=True),
                            ("started_at__isnull", False),
                            _connector="OR",
                        ),
                        name="data_transfer_in_progress_has_start",
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
                        name="data_transfer_finished_at_when_finished",
                        violation_error_message="Finished at is set exactly when the work is completed or failed.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "failed"), _negated=True),
                        fields=("data_transfer_package", "destination_location"),
                        name="data_transfer_unique_open",
                        violation_error_message="The package has an open or completed transfer to this location.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("destination_location", models.F("origin_location")), _negated=True),
                        name="data_transfer_destination_location_differs",
                        violation_error_message="A transfer must end at another location than it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unpack_retry_count__gte", 0)),
                        name="data_transfer_unpack_retry_count_not_negative",
                        violation_error_message="Unpack retry count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bytes_transferred__gte", 0)),
                        name="data_transfer_bytes_transferred_not_negative",
                        violation_error_message="Bytes transferred must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("unpack_status", "completed"), _negated=True),
                            ("unpacked_at__isnull", False),
                            _connector="OR",
                        ),
                        name="data_transfer_unpacked_has_time",
                        violation_error_message="Completed unpacking says when it was done.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("unpack_status", "failed"), _negated=True),
                            models.Q(("unpack_failure_message", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="data_transfer_unpack_failed_has_message",
                        violation_error_message="Failed unpacking says what went wrong.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("unpack_status__in", ["in_progress", "completed"]), _negated=True),
                            ("status", "completed"),
                            _connector="OR",
                        ),
                        name="data_transfer_unpacked_after_arrival",
                        violation_error_message="Only what has arrived can be unpacked.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "scheduled", "in_progress", "completed", "failed"])
                        ),
                        name="data_transfer_status_known",
                        violation_error_message="Status must be one of: pending, scheduled, in_progress, completed, failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["primary", "secondary"])),
                        name="data_transfer_kind_known",
                        violation_error_message="Kind must be one of: primary, secondary.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("method", ""), _negated=True),
                        name="data_transfer_method_not_blank",
                        violation_error_message="Method must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("unpack_status__in", ["pending", "scheduled", "in_progress", "completed", "failed"])
                        ),
                        name="data_transfer_unpack_status_known",
                        violation_error_message="Unpack status must be one of: pending, scheduled, in_progress, completed, failed.",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "scheduled", "in_progress", "failed"])),
                        fields=["status", "created_at"],
                        name="data_transfer_open",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("status", "completed"), models.Q(("unpack_status", "completed"), _negated=True)
                        ),
                        fields=["unpack_status", "finished_at"],
                        name="data_transfer_to_unpack",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DataTransferLog",
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
                    "data_transfer",
                    models.ForeignKey(
                        db_comment="The transfer.",
                        db_index=False,
                        help_text="The transfer.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="log",
                        to="opsdb.datatransfer",
                        verbose_name="data transfer",
                    ),
                ),
            ],
            options={
                "db_table": "data_transfer_log",
                "db_table_comment": "A line about one transfer.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("level__in", ["debug", "info", "warning", "error"])),
                        name="data_transfer_log_level_known",
                        violation_error_message="Level must be one of: debug, info, warning, error.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("message", ""), _negated=True),
                        name="data_transfer_log_message_not_blank",
                        violation_error_message="Message must not be blank.",
                    ),
                ],
                "indexes": [models.Index(fields=["data_transfer", "logged_at"], name="data_transfer_log_by_transfer")],
            },
        ),
    ]
