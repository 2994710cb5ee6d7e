import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0011_publications"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        db_comment="Number of the change.",
                        help_text="Number of the change.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        db_comment="When (UTC).",
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="When (UTC).",
                        verbose_name="changed at",
                    ),
                ),
                (
                    "table_name",
                    models.CharField(
                        db_comment="Table of the row.",
                        help_text="Table of the row.",
                        max_length=63,
                        verbose_name="table name",
                    ),
                ),
                (
                    "row_id",
                    models.CharField(
                        db_comment="Key of the row, as text.",
                        help_text="Key of the row, as text.",
                        max_length=36,
                        verbose_name="row ID",
                    ),
                ),
                (
                    "operation",
                    models.CharField(
                        choices=[("insert", "inserted"), ("update", "changed"), ("delete", "deleted")],
                        db_comment="What was done.",
                        help_text="What was done.",
                        max_length=10,
                        verbose_name="operation",
                    ),
                ),
                (
                    "before",
                    models.JSONField(
                        blank=True,
                        db_comment="Values before; of an update, those that changed.",
                        help_text="Values before; of an update, those that changed.",
                        null=True,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.JSONField(
                        blank=True,
                        db_comment="Values after; of an update, those that changed.",
                        help_text="Values after; of an update, those that changed.",
                        null=True,
                        verbose_name="after",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who did it, if it is known; the number stays when the user goes.",
                        db_constraint=False,
                        help_text="Who did it, if it is known; the number stays when the user goes.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        blank=True,
                        db_comment="Request or command that did it.",
                        default="",
                        help_text="Request or command that did it.",
                        max_length=500,
                        verbose_name="origin",
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        blank=True,
                        db_comment="Why, as the person said.",
                        default="",
                        help_text="Why, as the person said.",
                        verbose_name="reason",
                    ),
                ),
                (
                    "database_user",
                    models.CharField(
                        db_comment="Account at the database.",
                        help_text="Account at the database.",
                        max_length=63,
                        verbose_name="database user",
                    ),
                ),
                (
                    "transaction_id",
                    models.BigIntegerField(
                        db_comment="Number of the transaction; one change of many rows shares it.",
                        help_text="Number of the transaction; one change of many rows shares it.",
                        verbose_name="transaction ID",
                    ),
                ),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "change log",
                "db_table": "change_log",
                "db_table_comment": "One insert, update or delete of one row. It outlives the row and the user.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("table_name", ""), _negated=True),
                        name="change_log_table_name_not_blank",
                        violation_error_message="Table name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("row_id", ""), _negated=True),
                        name="change_log_row_id_not_blank",
                        violation_error_message="Row ID must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("operation__in", ["insert", "update", "delete"])),
                        name="change_log_operation_known",
                        violation_error_message="Operation must be one of: insert, update, delete.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("database_user", ""), _negated=True),
                        name="change_log_database_user_not_blank",
                        violation_error_message="Database user must not be blank.",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["table_name", "row_id", "id"], name="change_log_by_row"),
                    models.Index(fields=["changed_at"], name="change_log_by_time"),
                ],
            },
        ),
    ]
