import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0009_reduction"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PhysicalCopy",
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
                    "data_location",
                    models.ForeignKey(
                        db_comment="Where the copy is.",
                        db_index=False,
                        help_text="Where the copy is.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="copies",
                        to="opsdb.datalocation",
                        verbose_name="data location",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("present", "present"),
                            ("staged", "staged"),
                            ("deletion_possible", "deletion possible"),
                            ("deletion_scheduled", "deletion scheduled"),
                            ("deletion_in_progress", "deletion in progress"),
                            ("deleted", "deleted"),
                            ("deletion_failed", "deletion failed"),
                            ("missing", "missing"),
                            ("corrupt", "corrupt"),
                        ],
                        db_comment="State of the bytes.",
                        default="present",
                        help_text="State of the bytes.",
                        max_length=24,
                        verbose_name="status",
                    ),
                ),
                (
                    "raw_data_file",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The raw file, if it is a copy of one.",
                        db_index=False,
                        help_text="The raw file, if it is a copy of one.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="copies",
                        to="opsdb.rawdatafile",
                        verbose_name="raw data file",
                    ),
                ),
                (
                    "raw_data_package",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The raw package, if it is a copy of one.",
                        db_index=False,
                        help_text="The raw package, if it is a copy of one.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="copies",
                        to="opsdb.rawdatapackage",
                        verbose_name="raw data package",
                    ),
                ),
                (
                    "data_transfer_package",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The transfer package, if it is a copy of one.",
                        db_index=False,
                        help_text="The transfer package, if it is a copy of one.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="copies",
                        to="opsdb.datatransferpackage",
                        verbose_name="data transfer package",
                    ),
                ),
                (
                    "data_product",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The data product, if it is a copy of one.",
                        db_index=False,
                        help_text="The data product, if it is a copy of one.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="copies",
                        to="opsdb.dataproduct",
                        verbose_name="data product",
                    ),
                ),
                (
                    "size_bytes",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="Size as found there, bytes.",
                        help_text="Size as found there, bytes.",
                        null=True,
                        verbose_name="size [bytes]",
                    ),
                ),
                (
                    "checksum",
                    models.CharField(
                        blank=True,
                        db_comment="Checksum as last computed there, lower-case hexadecimal.",
                        help_text="Checksum as last computed there, lower-case hexadecimal.",
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
                    "arrived_at",
                    models.DateTimeField(
                        db_comment="When the bytes came there last (UTC), kept by the database; the retention counts from it.",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the bytes came there last (UTC), kept by the database; the retention counts from it.",
                        verbose_name="arrived at",
                    ),
                ),
                (
                    "verified_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When the checksum was last compared (UTC).",
                        help_text="When the checksum was last compared (UTC).",
                        null=True,
                        verbose_name="verified at",
                    ),
                ),
                (
                    "verification",
                    models.CharField(
                        choices=[("unverified", "unverified"), ("verified", "verified"), ("mismatch", "mismatch")],
                        db_comment="What the last comparison found.",
                        default="unverified",
                        help_text="What the last comparison found.",
                        max_length=16,
                        verbose_name="verification",
                    ),
                ),
                (
                    "retry_count",
                    models.IntegerField(
                        db_comment="How often its deletion was tried again.",
                        default=0,
                        help_text="How often its deletion was tried again.",
                        verbose_name="retry count",
                    ),
                ),
                (
                    "failure_message",
                    models.TextField(
                        blank=True,
                        db_comment="Why its deletion failed last.",
                        default="",
                        help_text="Why its deletion failed last.",
                        verbose_name="failure message",
                    ),
                ),
                (
                    "deletion_requested_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When its deletion was asked for (UTC).",
                        help_text="When its deletion was asked for (UTC).",
                        null=True,
                        verbose_name="deletion requested at",
                    ),
                ),
                (
                    "deleted_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When its bytes were deleted (UTC).",
                        help_text="When its bytes were deleted (UTC).",
                        null=True,
                        verbose_name="deleted at",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "physical copies",
                "db_table": "physical_copy",
                "db_table_comment": "A copy of one raw file, raw package, transfer package or data product at one location.",
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("raw_data_file"),
                                models.F("raw_data_package"),
                                models.F("data_transfer_package"),
                                models.F("data_product"),
                                function="num_nonnulls",
                                output_field=models.IntegerField(),
                            ),
                            models.Value(1),
                        ),
                        name="physical_copy_one_target",
                        violation_error_message="A copy is of exactly one file, package or product.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("raw_data_file__isnull", False)),
                        fields=("raw_data_file", "data_location"),
                        name="physical_copy_unique_raw_data_file",
                        violation_error_message="The location has a copy of this.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("raw_data_package__isnull", False)),
                        fields=("raw_data_package", "data_location"),
                        name="physical_copy_unique_raw_data_package",
                        violation_error_message="The location has a copy of this.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("data_transfer_package__isnull", False)),
                        fields=("data_transfer_package", "data_location"),
                        name="physical_copy_unique_data_transfer_package",
                        violation_error_message="The location has a copy of this.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("data_product__isnull", False)),
                        fields=("data_product", "data_location"),
                        name="physical_copy_unique_data_product",
                        violation_error_message="The location has a copy of this.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("size_bytes__gte", 0)),
                        name="physical_copy_size_bytes_not_negative",
                        violation_error_message="Size must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("retry_count__gte", 0)),
                        name="physical_copy_retry_count_not_negative",
                        violation_error_message="Retry count must be 0 or more.",
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
                        name="physical_copy_checksum_format",
                        violation_error_message="The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("verification", "unverified"),
                            models.Q(("checksum__isnull", False), ("verified_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="physical_copy_verified_has_proof",
                        violation_error_message="A verification has a time and the checksum that was found.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "deleted"), _negated=True),
                            ("deleted_at__isnull", False),
                            _connector="OR",
                        ),
                        name="physical_copy_deleted_has_time",
                        violation_error_message="A deleted copy says when it was deleted.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "deletion_failed"), _negated=True),
                            models.Q(("failure_message", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="physical_copy_deletion_failed_has_message",
                        violation_error_message="A failed deletion says what went wrong.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "present",
                                    "staged",
                                    "deletion_possible",
                                    "deletion_scheduled",
                                    "deletion_in_progress",
                                    "deleted",
                                    "deletion_failed",
                                    "missing",
                                    "corrupt",
                                ],
                            )
                        ),
                        name="physical_copy_status_known",
                        violation_error_message="Status must be one of: present, staged, deletion_possible, deletion_scheduled, deletion_in_progress, deleted, deletion_failed, missing, corrupt.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "checksum_algorithm__in",
                                ["sha256", "sha512", "blake2b", "md5", "xxh3", "adler32", "crc32c"],
                            )
                        ),
                        name="physical_copy_checksum_algorithm_known",
                        violation_error_message="Checksum algorithm must be one of: sha256, sha512, blake2b, md5, xxh3, adler32, crc32c.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("verification__in", ["unverified", "verified", "mismatch"])),
                        name="physical_copy_verification_known",
                        violation_error_message="Verification must be one of: unverified, verified, mismatch.",
                    ),
                ],
                "indexes": [
                    models.Index(
                        fields=["data_location", "status", "arrived_at", "id"], name="physical_copy_by_location"
                    ),
                    models.Index(
                        models.F("data_location"),
                        models.OrderBy(models.F("verified_at"), nulls_first=True),
                        models.F("id"),
                        condition=models.Q(("status__in", ("present", "staged", "deletion_possible", "corrupt"))),
                        name="physical_copy_by_verification",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RawDataFilePhysicalCopy",
            fields=[],
            options={
                "verbose_name": "copy of a raw data file",
                "verbose_name_plural": "copies of raw data files",
                "proxy": True,
            },
            bases=("opsdb.physicalcopy",),
        ),
        migrations.CreateModel(
            name="RawDataPackagePhysicalCopy",
            fields=[],
            options={
                "verbose_name": "copy of a raw data package",
                "verbose_name_plural": "copies of raw data packages",
                "proxy": True,
            },
            bases=("opsdb.physicalcopy",),
        ),
        migrations.CreateModel(
            name="DataTransferPackagePhysicalCopy",
            fields=[],
            options={
                "verbose_name": "copy of a data transfer package",
                "verbose_name_plural": "copies of data transfer packages",
                "proxy": True,
            },
            bases=("opsdb.physicalcopy",),
        ),
        migrations.CreateModel(
            name="DataProductPhysicalCopy",
            fields=[],
            options={
                "verbose_name": "copy of a data product",
                "verbose_name_plural": "copies of data products",
                "proxy": True,
            },
            bases=("opsdb.physicalcopy",),
        ),
        migrations.CreateModel(
            name="FixityCheck",
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
                    "copy",
                    models.ForeignKey(
                        db_comment="The copy.",
                        help_text="The copy.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fixity_checks",
                        to="opsdb.physicalcopy",
                        verbose_name="copy",
                    ),
                ),
                (
                    "checked_at",
                    models.DateTimeField(
                        db_comment="When it was computed (UTC).",
                        help_text="When it was computed (UTC).",
                        verbose_name="checked at",
                    ),
                ),
                (
                    "expected",
                    models.CharField(
                        db_comment="Checksum that it should have, lower-case hexadecimal.",
                        help_text="Checksum that it should have, lower-case hexadecimal.",
                        max_length=128,
                        verbose_name="expected",
                    ),
                ),
                (
                    "actual",
                    models.CharField(
                        db_comment="Checksum that was found, lower-case hexadecimal.",
                        help_text="Checksum that was found, lower-case hexadecimal.",
                        max_length=128,
                        verbose_name="actual",
                    ),
                ),
                (
                    "algorithm",
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
                        db_comment="How it was computed.",
                        help_text="How it was computed.",
                        max_length=16,
                        verbose_name="algorithm",
                    ),
                ),
                (
                    "ok",
                    models.BooleanField(
                        db_comment="Whether they agree.", help_text="Whether they agree.", verbose_name="ok"
                    ),
                ),
                (
                    "checked_by",
                    models.CharField(
                        blank=True,
                        db_comment="Worker or person that computed it.",
                        default="",
                        help_text="Worker or person that computed it.",
                        max_length=200,
                        verbose_name="checked by",
                    ),
                ),
            ],
            options={
                "db_table": "fixity_check",
                "db_table_comment": "One comparison of a copy's checksum with what it should be. It outlives the copy's bytes.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("algorithm", "sha256"), ("expected__regex", "^[0-9a-f]{64}$")),
                            models.Q(("algorithm", "sha512"), ("expected__regex", "^[0-9a-f]{128}$")),
                            models.Q(("algorithm", "blake2b"), ("expected__regex", "^[0-9a-f]{128}$")),
                            models.Q(("algorithm", "md5"), ("expected__regex", "^[0-9a-f]{32}$")),
                            models.Q(("algorithm", "xxh3"), ("expected__regex", "^[0-9a-f]{16}([0-9a-f]{16})?$")),
                            models.Q(("algorithm", "adler32"), ("expected__regex", "^[0-9a-f]{8}$")),
                            models.Q(("algorithm", "crc32c"), ("expected__regex", "^[0-9a-f]{8}$")),
                            _connector="OR",
                        ),
                        name="fixity_check_expected_format",
                        violation_error_message="The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("actual__regex", "^[0-9a-f]{64}$"), ("algorithm", "sha256")),
                            models.Q(("actual__regex", "^[0-9a-f]{128}$"), ("algorithm", "sha512")),
                            models.Q(("actual__regex", "^[0-9a-f]{128}$"), ("algorithm", "blake2b")),
                            models.Q(("actual__regex", "^[0-9a-f]{32}$"), ("algorithm", "md5")),
                            models.Q(("actual__regex", "^[0-9a-f]{16}([0-9a-f]{16})?$"), ("algorithm", "xxh3")),
                            models.Q(("actual__regex", "^[0-9a-f]{8}$"), ("algorithm", "adler32")),
                            models.Q(("actual__regex", "^[0-9a-f]{8}$"), ("algorithm", "crc32c")),
                            _connector="OR",
                        ),
                        name="fixity_check_actual_format",
                        violation_error_message="The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("actual", models.F("expected")), ("ok", True)),
                            models.Q(("ok", False), models.Q(("actual", models.F("expected")), _negated=True)),
                            _connector="OR",
                        ),
                        name="fixity_check_ok_tells_truth",
                        violation_error_message="The verdict must say whether the two checksums agree.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expected", ""), _negated=True),
                        name="fixity_check_expected_not_blank",
                        violation_error_message="Expected must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actual", ""), _negated=True),
                        name="fixity_check_actual_not_blank",
                        violation_error_message="Actual must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("algorithm__in", ["sha256", "sha512", "blake2b", "md5", "xxh3", "adler32", "crc32c"])
                        ),
                        name="fixity_check_algorithm_known",
                        violation_error_message="Algorithm must be one of: sha256, sha512, blake2b, md5, xxh3, adler32, crc32c.",
                    ),
                ],
                "indexes": [models.Index(fields=["checked_at"], name="fixity_check_by_time")],
            },
        ),
        migrations.CreateModel(
            name="DeletionPolicy",
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
                        db_comment="Always 1.",
                        help_text="Always 1.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "min_archive_copies",
                    models.IntegerField(
                        db_comment="Verified copies in archives elsewhere that a package needs.",
                        help_text="Verified copies in archives elsewhere that a package needs.",
                        verbose_name="min archive copies",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deletion policy",
                "db_table": "deletion_policy",
                "db_table_comment": "How many verified archive copies make it safe to delete others: one row, kept equal to the setting.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)),
                        name="deletion_policy_one_row",
                        violation_error_message="There is one policy.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("min_archive_copies__gt", 0)),
                        name="deletion_policy_min_archive_copies_positive",
                        violation_error_message="Min archive copies must be above 0.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeletionRequest",
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
                    "data_location",
                    models.ForeignKey(
                        db_comment="Where copies shall be deleted.",
                        help_text="Where copies shall be deleted.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deletion_requests",
                        to="opsdb.datalocation",
                        verbose_name="data location",
                    ),
                ),
                ("reason", models.TextField(db_comment="Why.", help_text="Why.", verbose_name="reason")),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_comment="Who asks.",
                        help_text="Who asks.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who approved or rejected; another person.",
                        help_text="Who approved or rejected; another person.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "requested"),
                            ("approved", "approved"),
                            ("rejected", "rejected"),
                            ("executed", "executed"),
                        ],
                        db_comment="How far it is.",
                        default="requested",
                        help_text="How far it is.",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "overrides_retention",
                    models.BooleanField(
                        db_comment="Whether it may delete copies before the location's retention has passed.",
                        default=False,
                        help_text="Whether it may delete copies before the location's retention has passed.",
                        verbose_name="overrides retention",
                    ),
                ),
                (
                    "limit",
                    models.IntegerField(
                        db_comment="Most copies that it may delete.",
                        help_text="Most copies that it may delete.",
                        verbose_name="limit",
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was approved or rejected (UTC).",
                        help_text="When it was approved or rejected (UTC).",
                        null=True,
                        verbose_name="decided at",
                    ),
                ),
                (
                    "executed_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was executed (UTC).",
                        help_text="When it was executed (UTC).",
                        null=True,
                        verbose_name="executed at",
                    ),
                ),
            ],
            options={
                "db_table": "deletion_request",
                "db_table_comment": "Somebody's wish to delete copies at a location, which somebody else must approve.",
            },
        ),
        migrations.CreateModel(
            name="DeletionRequestItem",
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
                    "deletion_request",
                    models.ForeignKey(
                        db_comment="The request.",
                        db_index=False,
                        help_text="The request.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="request_items",
                        to="opsdb.deletionrequest",
                        verbose_name="deletion request",
                    ),
                ),
                (
                    "physical_copy",
                    models.ForeignKey(
                        db_comment="The copy.",
                        help_text="The copy.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="request_items",
                        to="opsdb.physicalcopy",
                        verbose_name="physical copy",
                    ),
                ),
            ],
            options={
                "db_table": "deletion_request_item",
                "db_table_comment": "One copy that a deletion request is about.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("deletion_request", "physical_copy"),
                        name="deletion_request_item_unique_copy",
                        violation_error_message="The request has this copy already.",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="deletionrequest",
            name="items",
            field=models.ManyToManyField(
                blank=True,
                help_text="The copies that it is about.",
                related_name="deletion_requests",
                through="opsdb.DeletionRequestItem",
                to="opsdb.physicalcopy",
                verbose_name="items",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("limit__gt", 0)),
                name="deletion_request_limit_positive",
                violation_error_message="Limit must be above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("approved_by", models.F("requested_by")), _negated=True),
                name="deletion_request_second_person",
                violation_error_message="A request must be decided by another person than the one who asked.",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "requested"),
                    models.Q(("approved_by__isnull", False), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="deletion_request_decision_has_person",
                violation_error_message="A decision says who made it and when.",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "executed"), _negated=True), ("executed_at__isnull", False), _connector="OR"
                ),
                name="deletion_request_executed_has_time",
                violation_error_message="An executed request says when it was executed.",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="deletion_request_reason_not_blank",
                violation_error_message="Reason must not be blank.",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["requested", "approved", "rejected", "executed"])),
                name="deletion_request_status_known",
                violation_error_message="Status must be one of: requested, approved, rejected, executed.",
            ),
        ),
    ]
