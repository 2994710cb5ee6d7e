import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
import opsdb.models.identifiers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0003_planning"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExecutedObsUnit",
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
                        db_comment="Identifier (UUIDv7), made where the execution began.",
                        default=opsdb.models.identifiers.uuid7,
                        help_text="Identifier (UUIDv7), made where the execution began.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "obs_unit",
                    models.ForeignKey(
                        db_comment="What was executed.",
                        help_text="What was executed.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="executions",
                        to="opsdb.obsunit",
                        verbose_name="observation unit",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("completed", "completed"),
                            ("aborted", "aborted"),
                            ("failed", "failed"),
                        ],
                        db_comment="How it went.",
                        default="running",
                        help_text="How it went.",
                        max_length=20,
                        verbose_name="status",
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
                        db_comment="End (UTC); empty exactly while it runs.",
                        help_text="End (UTC); empty exactly while it runs.",
                        null=True,
                        verbose_name="end time",
                    ),
                ),
                (
                    "quality",
                    models.CharField(
                        choices=[
                            ("unassessed", "unassessed"),
                            ("good", "good"),
                            ("questionable", "questionable"),
                            ("bad", "bad"),
                        ],
                        db_comment="Judgement of the observer.",
                        default="unassessed",
                        help_text="Judgement of the observer.",
                        max_length=20,
                        verbose_name="quality",
                    ),
                ),
                (
                    "mean_pwv_mm",
                    models.FloatField(
                        blank=True,
                        db_comment="Mean precipitable water vapour, mm.",
                        help_text="Mean precipitable water vapour, mm.",
                        null=True,
                        verbose_name="mean PWV [mm]",
                    ),
                ),
                (
                    "mean_elevation_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Mean elevation, degrees.",
                        help_text="Mean elevation, degrees.",
                        null=True,
                        verbose_name="mean elevation [deg]",
                    ),
                ),
                (
                    "mean_azimuth_deg",
                    models.FloatField(
                        blank=True,
                        db_comment="Mean azimuth, degrees from north through east.",
                        help_text="Mean azimuth, degrees from north through east.",
                        null=True,
                        verbose_name="mean azimuth [deg]",
                    ),
                ),
                (
                    "conditions",
                    models.JSONField(
                        blank=True,
                        db_comment="Weather and other conditions, a JSON object.",
                        default=dict,
                        help_text="Weather and other conditions, a JSON object.",
                        verbose_name="conditions",
                    ),
                ),
                (
                    "observer",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who observed; empty for automatic operation.",
                        help_text="Who observed; empty for automatic operation.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="observer",
                    ),
                ),
                (
                    "comment",
                    models.TextField(
                        blank=True,
                        db_comment="The observer's remarks.",
                        default="",
                        help_text="The observer's remarks.",
                        verbose_name="comment",
                    ),
                ),
            ],
            options={
                "verbose_name": "executed observation unit",
                "db_table": "executed_obs_unit",
                "db_table_comment": "One execution of an observation unit at the telescope.",
            },
        ),
        migrations.CreateModel(
            name="ExecutedObsUnitModuleConfiguration",
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
                    "executed_obs_unit",
                    models.ForeignKey(
                        db_comment="The execution.",
                        db_index=False,
                        help_text="The execution.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="opsdb.executedobsunit",
                        verbose_name="executed observation unit",
                    ),
                ),
                (
                    "module_configuration",
                    models.ForeignKey(
                        db_comment="The configuration it used.",
                        help_text="The configuration it used.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="opsdb.instrumentmoduleconfiguration",
                        verbose_name="module configuration",
                    ),
                ),
            ],
            options={
                "verbose_name": "module configuration as used",
                "verbose_name_plural": "module configurations as used",
                "db_table": "executed_obs_unit_module_configuration",
                "db_table_comment": "One module configuration that an execution used. It can't be deleted from under the execution.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("executed_obs_unit", "module_configuration"),
                        name="executed_obs_unit_module_configuration_unique_pair",
                        violation_error_message="The execution has this configuration already.",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="executedobsunit",
            name="module_configurations",
            field=models.ManyToManyField(
                blank=True,
                help_text="How the modules were set up, as used.",
                related_name="executions",
                through="opsdb.ExecutedObsUnitModuleConfiguration",
                to="opsdb.instrumentmoduleconfiguration",
                verbose_name="module configurations",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("end_time__isnull", True), ("status", "running")),
                    models.Q(models.Q(("status", "running"), _negated=True), ("end_time__isnull", False)),
                    _connector="OR",
                ),
                name="executed_obs_unit_end_time_when_ended",
                violation_error_message="The end is empty exactly while the execution runs.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_time__gt", models.F("start_time"))),
                name="executed_obs_unit_end_time_after_start_time",
                violation_error_message="End time must be above start time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(("mean_pwv_mm__gte", 0)),
                name="executed_obs_unit_mean_pwv_mm_not_negative",
                violation_error_message="Mean PWV must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(("mean_elevation_deg__gte", -5), ("mean_elevation_deg__lte", 95)),
                name="executed_obs_unit_mean_elevation_deg_range",
                violation_error_message="Mean elevation must be between -5 and 95°.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(("mean_azimuth_deg__gte", -360), ("mean_azimuth_deg__lte", 720)),
                name="executed_obs_unit_mean_azimuth_deg_range",
                violation_error_message="Mean azimuth must be between -360 and 720°.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    models.Func(models.F("conditions"), function="jsonb_typeof", output_field=models.TextField()),
                    models.Value("object"),
                ),
                name="executed_obs_unit_conditions_object",
                violation_error_message='Conditions must be a JSON object, such as {"key": 1}.',
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["running", "completed", "aborted", "failed"])),
                name="executed_obs_unit_status_known",
                violation_error_message="Status must be one of: running, completed, aborted, failed.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(("quality__in", ["unassessed", "good", "questionable", "bad"])),
                name="executed_obs_unit_quality_known",
                violation_error_message="Quality must be one of: unassessed, good, questionable, bad.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mean_pwv_mm__gt", float("-inf")),
                    ("mean_pwv_mm__lt", float("inf")),
                    ("mean_elevation_deg__gt", float("-inf")),
                    ("mean_elevation_deg__lt", float("inf")),
                    ("mean_azimuth_deg__gt", float("-inf")),
                    ("mean_azimuth_deg__lt", float("inf")),
                ),
                name="executed_obs_unit_finite",
                violation_error_message="Numbers must be finite: neither NaN nor infinite.",
            ),
        ),
        migrations.AddIndex(
            model_name="executedobsunit",
            index=models.Index(fields=["-start_time"], name="executed_obs_unit_newest"),
        ),
        migrations.AddIndex(
            model_name="executedobsunit",
            index=models.Index(
                condition=models.Q(("status", "running")), fields=["start_time"], name="executed_obs_unit_running"
            ),
        ),
    ]
