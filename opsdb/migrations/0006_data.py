import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
import opsdb.models.identifiers
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0005_locations"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataTransferPackage",
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
                    "size_bytes",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Size in bytes.",
                        help_text="Size in bytes.",
                        null=True,
                        verbose_name="size [bytes]",
                    ),
                ),
                (
                    "checksum",
                    models.CharField(
                        blank=True,
                        db_comment="Checksum of the content, lower-case hexadecimal.",
                        help_text="Checksum of the content, lower-case hexadecimal.",
                        max_length=128,
                        null=True,
                        verbose_name="checksum",
                    ),
                ),
                (
                    "checksum_algorithm",
                    models.CharField(
                        choices=[
                            ("sha256", "SHA-256"),
                            ("sha512", "SHA-512"),
                            ("blake2b", "BLAKE2b"),
                            ("md5", "MD5"),
                            ("xxh3", "XXH3"),
                            ("adler32", "Adler-32"),
                            ("crc32c", "CRC-32C"),
                        ],
                        db_comment="How the checksum was computed.",
                        default="sha256",
                        help_text="How the checksum was computed.",
                        max_length=16,
                        verbose_name="checksum algorithm",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_comment="Identifier (UUIDv7).",
                        default=opsdb.models.identifiers.uuid7,
                        help_text="Identifier (UUIDv7).",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "origin_location",
                    models.ForeignKey(
                        db_comment="Where it is made.",
                        help_text="Where it is made.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_transfer_packages",
                        to="opsdb.datalocation",
                        verbose_name="origin location",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="File name, unique among all transfer packages.",
                        help_text="File name, unique among all transfer packages.",
                        max_length=255,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "relative_path",
                    models.CharField(
                        db_comment="Path below its location.",
                        help_text="Path below its location.",
                        max_length=1000,
                        verbose_name="relative path",
                    ),
                ),
            ],
            options={
                "db_table": "data_transfer_package",
                "db_table_comment": "A bundle of raw data packages that travels from one site to another as one file.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("retry_count__gte", 0)),
                        name="data_transfer_package_retry_count_not_negative",
                        violation_error_message="Retry count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("max_retries__gte", 0)),
                        name="data_transfer_package_max_retries_not_negative",
                        violation_error_message="Max retries must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), _negated=True),
                            models.Q(("failure_message", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="data_transfer_package_failed_has_message",
                        violation_error_message="A failed row must say what went wrong.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "in_progress"), _negated=True),
                            ("started_at__isnull", False),
                            _connector="OR",
                        ),
                        name="data_transfer_package_in_progress_has_start",
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
                        name="data_transfer_package_finished_at_when_finished",
                        violation_error_message="Finished at is set exactly when the work is completed or failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("size_bytes__gte", 0)),
                        name="data_transfer_package_size_bytes_not_negative",
                        violation_error_message="Size must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("checksum__regex", "^[0-9a-f]{64}$"), ("checksum_algorithm", "sha256")),
                            models.Q(("checksum__regex", "^[0-9a-f]{128}$"), ("checksum_algorithm", "sha512")),
                            models.Q(("checksum__regex", "^[0-9a-f]{128}$"), ("checksum_algorithm", "blake2b")),
                            models.Q(("checksum__regex", "^[0-9a-f]{32}$"), ("checksum_algorithm", "md5")),
                            models.Q(
                                ("checksum__regex", "^[0-9a-f]{16}([0-9a-f]{16})?$"), ("checksum_algorithm", "xxh3")
                            ),
                            models.Q(("checksum__regex", "^[0-9a-f]{8}$"), ("checksum_algorithm", "adler32")),
                            models.Q(("checksum__regex", "^[0-9a-f]{8}$"), ("checksum_algorithm", "crc32c")),
                            _connector="OR",
                        ),
                        name="data_transfer_package_checksum_format",
                        violation_error_message="The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("relative_path__regex", "(^$|^/|/$|//|(^|/)\\.\\.?(/|$)|[[:cntrl:]])"), _negated=True
                        ),
                        name="data_transfer_package_relative_path_inside",
                        violation_error_message="The path must be relative, without a leading, trailing or double slash, '.', '..' or control characters.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "completed"), _negated=True),
                            models.Q(("checksum__isnull", False), ("size_bytes__isnull", False)),
                            _connector="OR",
                        ),
                        name="data_transfer_package_completed_has_checksum",
                        violation_error_message="A completed package has a size and a checksum.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "scheduled", "in_progress", "completed", "failed"])
                        ),
                        name="data_transfer_package_status_known",
                        violation_error_message="Status must be one of: pending, scheduled, in_progress, completed, failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "checksum_algorithm__in",
                                ["sha256", "sha512", "blake2b", "md5", "xxh3", "adler32", "crc32c"],
                            )
                        ),
                        name="data_transfer_package_checksum_algorithm_known",
                        violation_error_message="Checksum algorithm must be one of: sha256, sha512, blake2b, md5, xxh3, adler32, crc32c.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="data_transfer_package_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("relative_path", ""), _negated=True),
                        name="data_transfer_package_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "scheduled", "in_progress", "failed"])),
                        fields=["status", "created_at"],
                        name="data_transfer_package_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RawDataPackage",
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
                    "size_bytes",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Size in bytes.",
                        help_text="Size in bytes.",
                        null=True,
                        verbose_name="size [bytes]",
                    ),
                ),
                (
                    "checksum",
                    models.CharField(
                        blank=True,
                        db_comment="Checksum of the content, lower-case hexadecimal.",
                        help_text="Checksum of the content, lower-case hexadecimal.",
                        max_length=128,
                        null=True,
                        verbose_name="checksum",
                    ),
                ),
                (
                    "checksum_algorithm",
                    models.CharField(
                        choices=[
                            ("sha256", "SHA-256"),
                            ("sha512", "SHA-512"),
                            ("blake2b", "BLAKE2b"),
                            ("md5", "MD5"),
                            ("xxh3", "XXH3"),
                            ("adler32", "Adler-32"),
                            ("crc32c", "CRC-32C"),
                        ],
                        db_comment="How the checksum was computed.",
                        default="sha256",
                        help_text="How the checksum was computed.",
                        max_length=16,
                        verbose_name="checksum algorithm",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_comment="Identifier (UUIDv7).",
                        default=opsdb.models.identifiers.uuid7,
                        help_text="Identifier (UUIDv7).",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "executed_obs_unit",
                    models.ForeignKey(
                        db_comment="The execution whose data it holds.",
                        db_index=False,
                        help_text="The execution whose data it holds.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raw_data_packages",
                        to="opsdb.executedobsunit",
                        verbose_name="executed observation unit",
                    ),
                ),
                (
                    "instrument_module",
                    models.ForeignKey(
                        db_comment="The module that wrote them.",
                        help_text="The module that wrote them.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raw_data_packages",
                        to="opsdb.instrumentmodule",
                        verbose_name="instrument module",
                    ),
                ),
                (
                    "part",
                    models.IntegerField(
                        db_comment="Number of the part, from 1; a part holds at most about 50 GB.",
                        default=1,
                        help_text="Number of the part, from 1; a part holds at most about 50 GB.",
                        verbose_name="part",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="File name, unique among all raw data packages.",
                        help_text="File name, unique among all raw data packages.",
                        max_length=255,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "relative_path",
                    models.CharField(
                        db_comment="Path below its location.",
                        help_text="Path below its location.",
                        max_length=1000,
                        verbose_name="relative path",
                    ),
                ),
                (
                    "file_count",
                    models.IntegerField(
                        db_comment="Number of raw files in it.",
                        default=0,
                        help_text="Number of raw files in it.",
                        verbose_name="file count",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("transferring", "transferring"),
                            ("archived", "archived"),
                            ("failed", "failed"),
                        ],
                        db_comment="How far it is on its way to the archive.",
                        default="waiting",
                        help_text="How far it is on its way to the archive.",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "data_transfer_package",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The bundle it travels in; empty until it is bundled.",
                        db_index=False,
                        help_text="The bundle it travels in; empty until it is bundled.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raw_data_packages",
                        to="opsdb.datatransferpackage",
                        verbose_name="data transfer package",
                    ),
                ),
            ],
            options={
                "db_table": "raw_data_package",
                "db_table_comment": "A tar of the raw files that one module wrote in one execution, or of a part of them.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("retry_count__gte", 0)),
                        name="raw_data_package_retry_count_not_negative",
                        violation_error_message="Retry count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("max_retries__gte", 0)),
                        name="raw_data_package_max_retries_not_negative",
                        violation_error_message="Max retries must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), _negated=True),
                            models.Q(("failure_message", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="raw_data_package_failed_has_message",
                        violation_error_message="A failed row must say what went wrong.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "in_progress"), _negated=True),
                            ("started_at__isnull", False),
                            _connector="OR",
                        ),
                        name="raw_data_package_in_progress_has_start",
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
                        name="raw_data_package_finished_at_when_finished",
                        violation_error_message="Finished at is set exactly when the work is completed or failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("size_bytes__gte", 0)),
                        name="raw_data_package_size_bytes_not_negative",
                        violation_error_message="Size must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("checksum__regex", "^[0-9a-f]{64}$"), ("checksum_algorithm", "sha256")),
                            models.Q(("checksum__regex", "^[0-9a-f]{128}$"), ("checksum_algorithm", "sha512")),
                            models.Q(("checksum__regex", "^[0-9a-f]{128}$"), ("checksum_algorithm", "blake2b")),
                            models.Q(("checksum__regex", "^[0-9a-f]{32}$"), ("checksum_algorithm", "md5")),
                            models.Q(
                                ("checksum__regex", "^[0-9a-f]{16}([0-9a-f]{16})?$"), ("checksum_algorithm", "xxh3")
                            ),
                            models.Q(("checksum__regex", "^[0-9a-f]{8}$"), ("checksum_algorithm", "adler32")),
                            models.Q(("checksum__regex", "^[0-9a-f]{8}$"), ("checksum_algorithm", "crc32c")),
                            _connector="OR",
                        ),
                        name="raw_data_package_checksum_format",
                        violation_error_message="The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
                    ),
                    models.UniqueConstraint(
                        fields=("executed_obs_unit", "instrument_module", "part"),
                        name="raw_data_package_unique_part",
                        violation_error_message="The execution has a package of this number for this module.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("part__gt", 0)),
                        name="raw_data_package_part_positive",
                        violation_error_message="Part must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("file_count__gte", 0)),
                        name="raw_data_package_file_count_not_negative",
                        violation_error_message="File count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("relative_path__regex", "(^$|^/|/$|//|(^|/)\\.\\.?(/|$)|[[:cntrl:]])"), _negated=True
                        ),
                        name="raw_data_package_relative_path_inside",
                        violation_error_message="The path must be relative, without a leading, trailing or double slash, '.', '..' or control characters.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "completed"), _negated=True),
                            models.Q(("checksum__isnull", False), ("size_bytes__isnull", False)),
                            _connector="OR",
                        ),
                        name="raw_data_package_completed_has_checksum",
                        violation_error_message="A completed package has a size and a checksum.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "archived"), _negated=True),
                            models.Q(("checksum__isnull", False), ("size_bytes__isnull", False)),
                            _connector="OR",
                        ),
                        name="raw_data_package_archived_has_checksum",
                        violation_error_message="An archived package has a size and a checksum.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "scheduled", "in_progress", "completed", "failed"])
                        ),
                        name="raw_data_package_status_known",
                        violation_error_message="Status must be one of: pending, scheduled, in_progress, completed, failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "checksum_algorithm__in",
                                ["sha256", "sha512", "blake2b", "md5", "xxh3", "adler32", "crc32c"],
                            )
                        ),
                        name="raw_data_package_checksum_algorithm_known",
                        violation_error_message="Checksum algorithm must be one of: sha256, sha512, blake2b, md5, xxh3, adler32, crc32c.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="raw_data_package_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("relative_path", ""), _negated=True),
                        name="raw_data_package_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "transferring", "archived", "failed"])),
                        name="raw_data_package_state_known",
                        violation_error_message="State must be one of: waiting, transferring, archived, failed.",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "scheduled", "in_progress", "failed"])),
                        fields=["status", "created_at"],
                        name="raw_data_package_open",
                    ),
                    models.Index(
                        condition=models.Q(("state", "archived"), _negated=True),
                        fields=["state", "created_at"],
                        name="raw_data_package_not_archived",
                    ),
                    models.Index(
                        condition=models.Q(("data_transfer_package__isnull", False)),
                        fields=["data_transfer_package"],
                        name="raw_data_package_bundled",
                    ),
                    models.Index(
                        condition=models.Q(("data_transfer_package__isnull", True)),
                        fields=["created_at"],
                        name="raw_data_package_unbundled",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RawDataFile",
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
                    models.UUIDField(
                        db_comment="Identifier (UUIDv7), made where the file was.",
                        default=opsdb.models.identifiers.uuid7,
                        help_text="Identifier (UUIDv7), made where the file was.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "executed_obs_unit",
                    models.ForeignKey(
                        db_comment="The execution that it is from.",
                        db_index=False,
                        help_text="The execution that it is from.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raw_data_files",
                        to="opsdb.executedobsunit",
                        verbose_name="executed observation unit",
                    ),
                ),
                (
                    "instrument_module",
                    models.ForeignKey(
                        db_comment="The module that wrote it.",
                        help_text="The module that wrote it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raw_data_files",
                        to="opsdb.instrumentmodule",
                        verbose_name="instrument module",
                    ),
                ),
                (
                    "source_location",
                    models.ForeignKey(
                        db_comment="The source location that it was written to.",
                        db_index=False,
                        help_text="The source location that it was written to.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raw_data_files",
                        to="opsdb.datalocation",
                        verbose_name="source location",
                    ),
                ),
                (
                    "raw_data_package",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The package that holds it; empty until it is packaged.",
                        db_index=False,
                        help_text="The package that holds it; empty until it is packaged.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raw_data_files",
                        to="opsdb.rawdatapackage",
                        verbose_name="raw data package",
                    ),
                ),
                (
                    "relative_path",
                    models.CharField(
                        db_comment="Path below the source location, unique there.",
                        help_text="Path below the source location, unique there.",
                        max_length=1000,
                        verbose_name="relative path",
                    ),
                ),
                (
                    "size_bytes",
                    models.BigIntegerField(
                        db_comment="Size in bytes.", help_text="Size in bytes.", verbose_name="size [bytes]"
                    ),
                ),
                (
                    "checksum",
                    models.CharField(
                        db_comment="Checksum of the content, lower-case hexadecimal.",
                        help_text="Checksum of the content, lower-case hexadecimal.",
                        max_length=128,
                        verbose_name="checksum",
                    ),
                ),
                (
                    "checksum_algorithm",
                    models.CharField(
                        choices=[
                            ("sha256", "SHA-256"),
                            ("sha512", "SHA-512"),
                            ("blake2b", "BLAKE2b"),
                            ("md5", "MD5"),
                            ("xxh3", "XXH3"),
                            ("adler32", "Adler-32"),
                            ("crc32c", "CRC-32C"),
                        ],
                        db_comment="How the checksum was computed.",
                        default="sha256",
                        help_text="How the checksum was computed.",
                        max_length=16,
                        verbose_name="checksum algorithm",
                    ),
                ),
                (
                    "file_type",
                    models.CharField(
                        blank=True,
                        db_comment="Format or role of the file, such as fits.",
                        default="",
                        help_text="Format or role of the file, such as fits.",
                        max_length=50,
                        verbose_name="file type",
                    ),
                ),
                (
                    "observed_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="Time of the first sample in it (UTC).",
                        help_text="Time of the first sample in it (UTC).",
                        null=True,
                        verbose_name="observed at",
                    ),
                ),
            ],
            options={
                "db_table": "raw_data_file",
                "db_table_comment": "One file as an instrument wrote it.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size_bytes__gte", 0)),
                        name="raw_data_file_size_bytes_not_negative",
                        violation_error_message="Size must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("checksum__regex", "^[0-9a-f]{64}$"), ("checksum_algorithm", "sha256")),
                            models.Q(("checksum__regex", "^[0-9a-f]{128}$"), ("checksum_algorithm", "sha512")),
                            models.Q(("checksum__regex", "^[0-9a-f]{128}$"), ("checksum_algorithm", "blake2b")),
                            models.Q(("checksum__regex", "^[0-9a-f]{32}$"), ("checksum_algorithm", "md5")),
                            models.Q(
                                ("checksum__regex", "^[0-9a-f]{16}([0-9a-f]{16})?$"), ("checksum_algorithm", "xxh3")
                            ),
                            models.Q(("checksum__regex", "^[0-9a-f]{8}$"), ("checksum_algorithm", "adler32")),
                            models.Q(("checksum__regex", "^[0-9a-f]{8}$"), ("checksum_algorithm", "crc32c")),
                            _connector="OR",
                        ),
                        name="raw_data_file_checksum_format",
                        violation_error_message="The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
                    ),
                    models.UniqueConstraint(
                        fields=("source_location", "relative_path"),
                        name="raw_data_file_unique_path",
                        violation_error_message="The location has a file of this path.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("relative_path__regex", "(^$|^/|/$|//|(^|/)\\.\\.?(/|$)|[[:cntrl:]])"), _negated=True
                        ),
                        name="raw_data_file_relative_path_inside",
                        violation_error_message="The path must be relative, without a leading, trailing or double slash, '.', '..' or control characters.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("relative_path", ""), _negated=True),
                        name="raw_data_file_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("checksum", ""), _negated=True),
                        name="raw_data_file_checksum_not_blank",
                        violation_error_message="Checksum must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "checksum_algorithm__in",
                                ["sha256", "sha512", "blake2b", "md5", "xxh3", "adler32", "crc32c"],
                            )
                        ),
                        name="raw_data_file_checksum_algorithm_known",
                        violation_error_message="Checksum algorithm must be one of: sha256, sha512, blake2b, md5, xxh3, adler32, crc32c.",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["executed_obs_unit", "instrument_module"], name="raw_data_file_by_execution"),
                    models.Index(
                        condition=models.Q(("raw_data_package__isnull", False)),
                        fields=["raw_data_package"],
                        name="raw_data_file_packaged",
                    ),
                    models.Index(
                        condition=models.Q(("raw_data_package__isnull", True)),
                        fields=["source_location", "executed_obs_unit", "instrument_module"],
                        name="raw_data_file_unpackaged",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RawDataPackageMetadata",
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
                    "raw_data_package",
                    models.OneToOneField(
                        db_comment="The package it describes.",
                        help_text="The package it describes.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="metadata",
                        to="opsdb.rawdatapackage",
                        verbose_name="raw data package",
                    ),
                ),
                (
                    "dataproduct_type",
                    models.CharField(
                        blank=True,
                        db_comment="Logical data product type, such as cube or timeseries.",
                        default="",
                        help_text="Logical data product type, such as cube or timeseries.",
                        max_length=30,
                        verbose_name="dataproduct_type",
                    ),
                ),
                (
                    "calib_level",
                    models.IntegerField(
                        db_comment="Calibration level, 0 (raw) to 4.",
                        default=0,
                        help_text="Calibration level, 0 (raw) to 4.",
                        verbose_name="calib_level",
                    ),
                ),
                (
                    "obs_collection",
                    models.CharField(
                        db_comment="Name of the data collection.",
                        help_text="Name of the data collection.",
                        max_length=200,
                        verbose_name="obs_collection",
                    ),
                ),
                (
                    "obs_id",
                    models.CharField(
                        db_comment="Identifier of the observation.",
                        help_text="Identifier of the observation.",
                        max_length=200,
                        verbose_name="obs_id",
                    ),
                ),
                (
                    "obs_publisher_did",
                    models.CharField(
                        db_comment="Data set identifier given by the publisher.",
                        help_text="Data set identifier given by the publisher.",
                        max_length=500,
                        verbose_name="obs_publisher_did",
                    ),
                ),
                (
                    "access_url",
                    models.TextField(
                        blank=True,
                        db_comment="URL to download from.",
                        default="",
                        help_text="URL to download from.",
                        verbose_name="access_url",
                    ),
                ),
                (
                    "access_format",
                    models.CharField(
                        blank=True,
                        db_comment="Media type of the content.",
                        default="",
                        help_text="Media type of the content.",
                        max_length=100,
                        verbose_name="access_format",
                    ),
                ),
                (
                    "access_estsize",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Estimated size, kilobytes.",
                        help_text="Estimated size, kilobytes.",
                        null=True,
                        verbose_name="access_estsize",
                    ),
                ),
                (
                    "target_name",
                    models.CharField(
                        blank=True,
                        db_comment="Name of the observed target.",
                        default="",
                        help_text="Name of the observed target.",
                        max_length=200,
                        verbose_name="target_name",
                    ),
                ),
                (
                    "s_ra",
                    models.FloatField(
                        blank=True,
                        db_comment="Central right ascension (ICRS), degrees.",
                        help_text="Central right ascension (ICRS), degrees.",
                        null=True,
                        verbose_name="s_ra",
                    ),
                ),
                (
                    "s_dec",
                    models.FloatField(
                        blank=True,
                        db_comment="Central declination (ICRS), degrees.",
                        help_text="Central declination (ICRS), degrees.",
                        null=True,
                        verbose_name="s_dec",
                    ),
                ),
                (
                    "s_fov",
                    models.FloatField(
                        blank=True,
                        db_comment="Diameter of the covered region, degrees.",
                        help_text="Diameter of the covered region, degrees.",
                        null=True,
                        verbose_name="s_fov",
                    ),
                ),
                (
                    "s_region",
                    models.TextField(
                        blank=True,
                        db_comment="Covered region (STC-S or DALI), ICRS.",
                        default="",
                        help_text="Covered region (STC-S or DALI), ICRS.",
                        verbose_name="s_region",
                    ),
                ),
                (
                    "s_resolution",
                    models.FloatField(
                        blank=True,
                        db_comment="Spatial resolution (FWHM), arcsec.",
                        help_text="Spatial resolution (FWHM), arcsec.",
                        null=True,
                        verbose_name="s_resolution",
                    ),
                ),
                (
                    "s_xel1",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Number of elements along the first spatial axis.",
                        help_text="Number of elements along the first spatial axis.",
                        null=True,
                        verbose_name="s_xel1",
                    ),
                ),
                (
                    "s_xel2",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Number of elements along the second spatial axis.",
                        help_text="Number of elements along the second spatial axis.",
                        null=True,
                        verbose_name="s_xel2",
                    ),
                ),
                (
                    "t_min",
                    models.FloatField(
                        blank=True,
                        db_comment="Start time, MJD.",
                        help_text="Start time, MJD.",
                        null=True,
                        verbose_name="t_min",
                    ),
                ),
                (
                    "t_max",
                    models.FloatField(
                        blank=True,
                        db_comment="Stop time, MJD.",
                        help_text="Stop time, MJD.",
                        null=True,
                        verbose_name="t_max",
                    ),
                ),
                (
                    "t_exptime",
                    models.FloatField(
                        blank=True,
                        db_comment="Total exposure time, seconds.",
                        help_text="Total exposure time, seconds.",
                        null=True,
                        verbose_name="t_exptime",
                    ),
                ),
                (
                    "t_resolution",
                    models.FloatField(
                        blank=True,
                        db_comment="Temporal resolution (FWHM), seconds.",
                        help_text="Temporal resolution (FWHM), seconds.",
                        null=True,
                        verbose_name="t_resolution",
                    ),
                ),
                (
                    "t_xel",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Number of elements along the time axis.",
                        help_text="Number of elements along the time axis.",
                        null=True,
                        verbose_name="t_xel",
                    ),
                ),
                (
                    "em_min",
                    models.FloatField(
                        blank=True,
                        db_comment="Start in spectral coordinates, metres (vacuum).",
                        help_text="Start in spectral coordinates, metres (vacuum).",
                        null=True,
                        verbose_name="em_min",
                    ),
                ),
                (
                    "em_max",
                    models.FloatField(
                        blank=True,
                        db_comment="Stop in spectral coordinates, metres (vacuum).",
                        help_text="Stop in spectral coordinates, metres (vacuum).",
                        null=True,
                        verbose_name="em_max",
                    ),
                ),
                (
                    "em_res_power",
                    models.FloatField(
                        blank=True,
                        db_comment="Spectral resolving power.",
                        help_text="Spectral resolving power.",
                        null=True,
                        verbose_name="em_res_power",
                    ),
                ),
                (
                    "em_xel",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Number of elements along the spectral axis.",
                        help_text="Number of elements along the spectral axis.",
                        null=True,
                        verbose_name="em_xel",
                    ),
                ),
                (
                    "o_ucd",
                    models.CharField(
                        blank=True,
                        db_comment="UCD of the observable.",
                        default="",
                        help_text="UCD of the observable.",
                        max_length=100,
                        verbose_name="o_ucd",
                    ),
                ),
                (
                    "pol_states",
                    models.CharField(
                        blank=True,
                        db_comment="Polarization states, such as /I/Q/U/.",
                        default="",
                        help_text="Polarization states, such as /I/Q/U/.",
                        max_length=100,
                        verbose_name="pol_states",
                    ),
                ),
                (
                    "pol_xel",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Number of polarization samples.",
                        help_text="Number of polarization samples.",
                        null=True,
                        verbose_name="pol_xel",
                    ),
                ),
                (
                    "facility_name",
                    models.CharField(
                        blank=True,
                        db_comment="Facility used.",
                        default="",
                        help_text="Facility used.",
                        max_length=200,
                        verbose_name="facility_name",
                    ),
                ),
                (
                    "instrument_name",
                    models.CharField(
                        blank=True,
                        db_comment="Instrument used.",
                        default="",
                        help_text="Instrument used.",
                        max_length=200,
                        verbose_name="instrument_name",
                    ),
                ),
                (
                    "extra",
                    models.JSONField(
                        blank=True,
                        db_comment="Further metadata, a JSON object.",
                        default=dict,
                        help_text="Further metadata, a JSON object.",
                        verbose_name="extra",
                    ),
                ),
            ],
            options={
                "verbose_name": "raw data package metadata",
                "verbose_name_plural": "raw data package metadata",
                "db_table": "raw_data_package_metadata",
                "db_table_comment": "What a raw data package holds, in the mandatory columns of IVOA ObsCore 1.1 (REC-ObsCore-v1.1, table 1).",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("calib_level__gte", 0), ("calib_level__lte", 4)),
                        name="raw_data_package_metadata_calib_level_range",
                        violation_error_message="Calib level must be between 0 and 4.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("s_ra__gte", 0), ("s_ra__lt", 360)),
                        name="raw_data_package_metadata_s_ra_range",
                        violation_error_message="S RA must be at least 0 and below 360°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("s_dec__gte", -90), ("s_dec__lte", 90)),
                        name="raw_data_package_metadata_s_dec_range",
                        violation_error_message="S Dec must be between -90 and 90°.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("s_fov__gte", 0)),
                        name="raw_data_package_metadata_s_fov_not_negative",
                        violation_error_message="S fov must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("access_estsize__gte", 0)),
                        name="raw_data_package_metadata_access_estsize_not_negative",
                        violation_error_message="Access estsize must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("t_max__gte", models.F("t_min"))),
                        name="raw_data_package_metadata_t_max_after_t_min",
                        violation_error_message="T max must be at or above t min.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("t_exptime__gte", 0)),
                        name="raw_data_package_metadata_t_exptime_not_negative",
                        violation_error_message="T exptime must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("em_min__gt", 0)),
                        name="raw_data_package_metadata_em_min_positive",
                        violation_error_message="Em min must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("em_max__gte", models.F("em_min"))),
                        name="raw_data_package_metadata_em_max_after_em_min",
                        violation_error_message="Em max must be at or above em min.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "dataproduct_type__in",
                                [
                                    "",
                                    "image",
                                    "cube",
                                    "spectrum",
                                    "sed",
                                    "timeseries",
                                    "visibility",
                                    "event",
                                    "measurements",
                                ],
                            )
                        ),
                        name="raw_data_package_metadata_dataproduct_type_known",
                        violation_error_message="Use a data product type of ObsCore 1.1: image, cube, spectrum, sed, timeseries, visibility, event, measurements.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(models.F("extra"), function="jsonb_typeof", output_field=models.TextField()),
                            models.Value("object"),
                        ),
                        name="raw_data_package_metadata_extra_object",
                        violation_error_message='Extra must be a JSON object, such as {"key": 1}.',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("obs_collection", ""), _negated=True),
                        name="raw_data_package_metadata_obs_collection_not_blank",
                        violation_error_message="Observation collection must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("obs_id", ""), _negated=True),
                        name="raw_data_package_metadata_obs_id_not_blank",
                        violation_error_message="Observation ID must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("obs_publisher_did", ""), _negated=True),
                        name="raw_data_package_metadata_obs_publisher_did_not_blank",
                        violation_error_message="Observation publisher did must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("s_ra__gt", float("-inf")),
                            ("s_ra__lt", float("inf")),
                            ("s_dec__gt", float("-inf")),
                            ("s_dec__lt", float("inf")),
                            ("s_fov__gt", float("-inf")),
                            ("s_fov__lt", float("inf")),
                            ("s_resolution__gt", float("-inf")),
                            ("s_resolution__lt", float("inf")),
                            ("t_min__gt", float("-inf")),
                            ("t_min__lt", float("inf")),
                            ("t_max__gt", float("-inf")),
                            ("t_max__lt", float("inf")),
                            ("t_exptime__gt", float("-inf")),
                            ("t_exptime__lt", float("inf")),
                            ("t_resolution__gt", float("-inf")),
                            ("t_resolution__lt", float("inf")),
                            ("em_min__gt", float("-inf")),
                            ("em_min__lt", float("inf")),
                            ("em_max__gt", float("-inf")),
                            ("em_max__lt", float("inf")),
                            ("em_res_power__gt", float("-inf")),
                            ("em_res_power__lt", float("inf")),
                        ),
                        name="raw_data_package_metadata_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
    ]
