import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0008_archive"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReductionSoftware",
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
                        db_comment="Name.", help_text="Name.", max_length=200, unique=True, verbose_name="name"
                    ),
                ),
                (
                    "repository_url",
                    models.URLField(
                        blank=True,
                        db_comment="Where its source is.",
                        default="",
                        help_text="Where its source is.",
                        verbose_name="repository URL",
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
                "verbose_name_plural": "reduction software",
                "db_table": "reduction_software",
                "db_table_comment": "A program that reduces data.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="reduction_software_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReductionSoftwareVersion",
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
                    "software",
                    models.ForeignKey(
                        db_comment="The program.",
                        db_index=False,
                        help_text="The program.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="opsdb.reductionsoftware",
                        verbose_name="software",
                    ),
                ),
                (
                    "version",
                    models.CharField(
                        db_comment="Version, unique for the program.",
                        help_text="Version, unique for the program.",
                        max_length=50,
                        verbose_name="version",
                    ),
                ),
                (
                    "image",
                    models.CharField(
                        blank=True,
                        db_comment="Container image.",
                        default="",
                        help_text="Container image.",
                        max_length=500,
                        verbose_name="image",
                    ),
                ),
                (
                    "image_digest",
                    models.CharField(
                        blank=True,
                        db_comment="Digest of the image, such as sha256:….",
                        default="",
                        help_text="Digest of the image, such as sha256:….",
                        max_length=80,
                        verbose_name="image digest",
                    ),
                ),
                (
                    "sif_path",
                    models.CharField(
                        blank=True,
                        db_comment="Path of the Apptainer image.",
                        default="",
                        help_text="Path of the Apptainer image.",
                        max_length=1000,
                        verbose_name="SIF path",
                    ),
                ),
                (
                    "released_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was released (UTC).",
                        help_text="When it was released (UTC).",
                        null=True,
                        verbose_name="released at",
                    ),
                ),
                (
                    "deprecated",
                    models.BooleanField(
                        db_comment="Whether new runs should avoid it.",
                        default=False,
                        help_text="Whether new runs should avoid it.",
                        verbose_name="deprecated",
                    ),
                ),
            ],
            options={
                "db_table": "reduction_software_version",
                "db_table_comment": "A version of a program, as a container image that can be run again.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("software", "version"),
                        name="reduction_software_version_unique_version",
                        violation_error_message="The software has this version.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("image_digest__regex", "^(sha256:[0-9a-f]{64})?$")),
                        name="reduction_software_version_image_digest_format",
                        violation_error_message="A digest looks like sha256: and 64 hexadecimal digits.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version", ""), _negated=True),
                        name="reduction_software_version_version_not_blank",
                        violation_error_message="Version must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReductionStepConfig",
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
                    "software",
                    models.ForeignKey(
                        db_comment="The program.",
                        db_index=False,
                        help_text="The program.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="step_configs",
                        to="opsdb.reductionsoftware",
                        verbose_name="software",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Name, unique for the program.",
                        help_text="Name, unique for the program.",
                        max_length=200,
                        verbose_name="name",
                    ),
                ),
                (
                    "parameters",
                    models.JSONField(
                        blank=True,
                        db_comment="Parameters, a JSON object.",
                        default=dict,
                        help_text="Parameters, a JSON object.",
                        verbose_name="parameters",
                    ),
                ),
                (
                    "environment",
                    models.JSONField(
                        blank=True,
                        db_comment="Environment variables, a JSON object of texts.",
                        default=dict,
                        help_text="Environment variables, a JSON object of texts.",
                        verbose_name="environment",
                    ),
                ),
                (
                    "cpu",
                    models.IntegerField(
                        db_comment="Number of processor cores.",
                        default=1,
                        help_text="Number of processor cores.",
                        verbose_name="CPU",
                    ),
                ),
                (
                    "memory_gb",
                    models.FloatField(
                        db_comment="Memory, GB.", default=1.0, help_text="Memory, GB.", verbose_name="memory [GB]"
                    ),
                ),
                (
                    "time_hours",
                    models.FloatField(
                        db_comment="Longest run time, hours.",
                        default=1.0,
                        help_text="Longest run time, hours.",
                        verbose_name="time [h]",
                    ),
                ),
            ],
            options={
                "db_table": "reduction_step_config",
                "db_table_comment": "A set of parameters, and what a run needs of a computer, for a program.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("software", "name"),
                        name="reduction_step_config_unique_name",
                        violation_error_message="The software has a configuration of this name.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("parameters"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("object"),
                        ),
                        name="reduction_step_config_parameters_object",
                        violation_error_message='Parameters must be a JSON object, such as {"key": 1}.',
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("environment"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("object"),
                        ),
                        name="reduction_step_config_environment_object",
                        violation_error_message='Environment must be a JSON object, such as {"key": 1}.',
                    ),
                    models.CheckConstraint(
                        condition=models.Func(
                            models.F("environment"),
                            models.Value('strict $.* ? (@.type() != "string")'),
                            function="jsonb_path_exists",
                            output_field=models.BooleanField(),
                            template="(NOT %(function)s(%(expressions)s::jsonpath, '{}', true))",
                        ),
                        name="reduction_step_config_environment_values",
                        violation_error_message="Environment: every value must be a text.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cpu__gt", 0)),
                        name="reduction_step_config_cpu_positive",
                        violation_error_message="CPU must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("memory_gb__gt", 0)),
                        name="reduction_step_config_memory_gb_positive",
                        violation_error_message="Memory must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("time_hours__gt", 0)),
                        name="reduction_step_config_time_hours_positive",
                        violation_error_message="Time must be above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="reduction_step_config_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("memory_gb__gt", float("-inf")),
                            ("memory_gb__lt", float("inf")),
                            ("time_hours__gt", float("-inf")),
                            ("time_hours__lt", float("inf")),
                        ),
                        name="reduction_step_config_finite",
                        violation_error_message="Numbers must be finite: neither NaN nor infinite.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DataGrouping",
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
                        db_comment="Name.", help_text="Name.", max_length=200, unique=True, verbose_name="name"
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it gathers.",
                        default="",
                        help_text="What it gathers.",
                        verbose_name="description",
                    ),
                ),
                (
                    "filter_rules",
                    models.JSONField(
                        blank=True,
                        db_comment="A JSON list of {table, column, operator, value, json_path}; all must hold.",
                        default=list,
                        help_text="A JSON list of {table, column, operator, value, json_path}; all must hold.",
                        verbose_name="filter rules",
                    ),
                ),
                (
                    "instrument_module",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Only packages of this module, if set.",
                        help_text="Only packages of this module, if set.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_groupings",
                        to="opsdb.instrumentmodule",
                        verbose_name="instrument module",
                    ),
                ),
            ],
            options={
                "db_table": "data_grouping",
                "db_table_comment": "A rule that says which raw packages belong together.",
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("filter_rules"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("array"),
                        ),
                        name="data_grouping_filter_rules_list",
                        violation_error_message='Filter rules must be a JSON list, such as ["one", "two"].',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="data_grouping_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pipeline",
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
                        db_comment="Name.", help_text="Name.", max_length=200, unique=True, verbose_name="name"
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it makes.",
                        default="",
                        help_text="What it makes.",
                        verbose_name="description",
                    ),
                ),
                (
                    "data_grouping",
                    models.ForeignKey(
                        db_comment="The packages it reduces.",
                        help_text="The packages it reduces.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pipelines",
                        to="opsdb.datagrouping",
                        verbose_name="data grouping",
                    ),
                ),
                (
                    "processing_location",
                    models.ForeignKey(
                        db_comment="The processing location where it runs.",
                        help_text="The processing location where it runs.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pipelines",
                        to="opsdb.datalocation",
                        verbose_name="processing location",
                    ),
                ),
                (
                    "trigger_type",
                    models.CharField(
                        choices=[("continuous", "continuous"), ("cron", "cron"), ("manual", "manual")],
                        db_comment="What makes it start.",
                        default="manual",
                        help_text="What makes it start.",
                        max_length=12,
                        verbose_name="trigger type",
                    ),
                ),
                (
                    "trigger_config",
                    models.JSONField(
                        blank=True,
                        db_comment='Details of the trigger, a JSON object; for cron {"cron": "0 12 * * *"} (UTC).',
                        default=dict,
                        help_text='Details of the trigger, a JSON object; for cron {"cron": "0 12 * * *"} (UTC).',
                        verbose_name="trigger config",
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        db_comment="Whether it may start runs.",
                        default=True,
                        help_text="Whether it may start runs.",
                        verbose_name="enabled",
                    ),
                ),
                (
                    "priority",
                    models.IntegerField(
                        db_comment="Higher is served first.",
                        default=0,
                        help_text="Higher is served first.",
                        verbose_name="priority",
                    ),
                ),
                (
                    "created_by_user",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who made it.",
                        help_text="Who made it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by user",
                    ),
                ),
            ],
            options={
                "db_table": "pipeline",
                "db_table_comment": "A sequence of reduction steps for the packages of a grouping.",
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("trigger_config"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("object"),
                        ),
                        name="pipeline_trigger_config_object",
                        violation_error_message='Trigger config must be a JSON object, such as {"key": 1}.',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("trigger_type", "cron"), _negated=True),
                            models.Q(
                                ("trigger_config__has_key", "cron"),
                                models.Q(("trigger_config__cron", None), _negated=True),
                                (
                                    "trigger_config__cron__iregex",
                                    "^(([*]|([0-5]?[0-9])(-([0-5]?[0-9]))?)(/[1-9][0-9]?)?)(,([*]|([0-5]?[0-9])(-([0-5]?[0-9]))?)(/[1-9][0-9]?)?)* +(([*]|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[1-9][0-9]?)?)(,([*]|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[1-9][0-9]?)?)* +(([*]|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[1-9][0-9]?)?)(,([*]|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[1-9][0-9]?)?)* +(([*]|(0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(-(0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))?)(/[1-9][0-9]?)?)(,([*]|(0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(-(0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))?)(/[1-9][0-9]?)?)* +(([*]|(0?[0-7]|sun|mon|tue|wed|thu|fri|sat)(-(0?[0-7]|sun|mon|tue|wed|thu|fri|sat))?)(/[1-9][0-9]?)?)(,([*]|(0?[0-7]|sun|mon|tue|wed|thu|fri|sat)(-(0?[0-7]|sun|mon|tue|wed|thu|fri|sat))?)(/[1-9][0-9]?)?)*$",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="pipeline_cron_expression",
                        violation_error_message='A cron trigger needs {"cron": "minute hour day month weekday"}, such as {"cron": "0 12 * * *"}.',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="pipeline_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("trigger_type__in", ["continuous", "cron", "manual"])),
                        name="pipeline_trigger_type_known",
                        violation_error_message="Trigger type must be one of: continuous, cron, manual.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReductionStep",
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
                    "pipeline",
                    models.ForeignKey(
                        db_comment="The pipeline.",
                        db_index=False,
                        help_text="The pipeline.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="opsdb.pipeline",
                        verbose_name="pipeline",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="Name, unique in the pipeline.",
                        help_text="Name, unique in the pipeline.",
                        max_length=200,
                        verbose_name="name",
                    ),
                ),
                (
                    "order",
                    models.IntegerField(
                        db_comment="Place in the pipeline, lowest first.",
                        default=0,
                        help_text="Place in the pipeline, lowest first.",
                        verbose_name="order",
                    ),
                ),
                (
                    "software",
                    models.ForeignKey(
                        db_comment="The program that runs.",
                        help_text="The program that runs.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="opsdb.reductionsoftware",
                        verbose_name="software",
                    ),
                ),
                (
                    "config",
                    models.ForeignKey(
                        db_comment="Its parameters; of the same program.",
                        help_text="Its parameters; of the same program.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="opsdb.reductionstepconfig",
                        verbose_name="config",
                    ),
                ),
                (
                    "version_policy",
                    models.CharField(
                        choices=[("exact", "exact"), ("compatible", "compatible"), ("latest", "latest")],
                        db_comment="Which version runs.",
                        default="latest",
                        help_text="Which version runs.",
                        max_length=12,
                        verbose_name="version policy",
                    ),
                ),
                (
                    "pinned_version",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The version that the policy starts from; none for the latest.",
                        help_text="The version that the policy starts from; none for the latest.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pinned_by",
                        to="opsdb.reductionsoftwareversion",
                        verbose_name="pinned version",
                    ),
                ),
                (
                    "group_by",
                    models.JSONField(
                        blank=True,
                        db_comment="Dimensions to split the packages by, a JSON list; [] for all together.",
                        default=list,
                        help_text="Dimensions to split the packages by, a JSON list; [] for all together.",
                        verbose_name="group by",
                    ),
                ),
                (
                    "cooldown_seconds",
                    models.IntegerField(
                        db_comment="Quiet time after the last new package, seconds.",
                        default=0,
                        help_text="Quiet time after the last new package, seconds.",
                        verbose_name="cooldown [s]",
                    ),
                ),
                (
                    "max_retries",
                    models.IntegerField(
                        db_comment="How often a run may be tried again.",
                        default=3,
                        help_text="How often a run may be tried again.",
                        verbose_name="max retries",
                    ),
                ),
            ],
            options={
                "db_table": "reduction_step",
                "db_table_comment": "One step of a pipeline: a program with its parameters, run once per sub-group of the packages.",
            },
        ),
        migrations.CreateModel(
            name="ReductionStepDependency",
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
                    "step",
                    models.ForeignKey(
                        db_comment="The step that waits.",
                        db_index=False,
                        help_text="The step that waits.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dependencies",
                        to="opsdb.reductionstep",
                        verbose_name="step",
                    ),
                ),
                (
                    "depends_on",
                    models.ForeignKey(
                        db_comment="The step that comes before.",
                        help_text="The step that comes before.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waiting",
                        to="opsdb.reductionstep",
                        verbose_name="depends on",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "reduction step dependencies",
                "db_table": "reduction_step_dependency",
                "db_table_comment": "One step of a pipeline waits for another.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("step", "depends_on"),
                        name="reduction_step_dependency_unique_pair",
                        violation_error_message="The step waits for that one already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("depends_on", models.F("step")), _negated=True),
                        name="reduction_step_dependency_depends_on_differs",
                        violation_error_message="A step can't wait for itself.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="reductionstep",
            name="depends_on",
            field=models.ManyToManyField(
                blank=True,
                help_text="Steps of the same pipeline that come before.",
                related_name="dependents",
                through="opsdb.ReductionStepDependency",
                to="opsdb.reductionstep",
                verbose_name="depends on",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.UniqueConstraint(
                fields=("pipeline", "name"),
                name="reduction_step_unique_name",
                violation_error_message="The pipeline has a step of this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("order__gte", 0)),
                name="reduction_step_order_not_negative",
                violation_error_message="Order must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("cooldown_seconds__gte", 0)),
                name="reduction_step_cooldown_seconds_not_negative",
                violation_error_message="Cooldown must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_retries__gte", 0)),
                name="reduction_step_max_retries_not_negative",
                violation_error_message="Max retries must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    models.Func(models.F("group_by"), function="jsonb_typeof", output_field=models.TextField()),
                    models.Value("array"),
                ),
                name="reduction_step_group_by_list",
                violation_error_message='Group by must be a JSON list, such as ["one", "two"].',
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=models.Func(
                    models.F("group_by"),
                    models.Value(
                        'strict $[*] ? (!(@.type() == "string" && @ like_regex "^(observing_program|obs_unit|executed_obs_unit|source|instrument_module|night)$"))'
                    ),
                    function="jsonb_path_exists",
                    output_field=models.BooleanField(),
                    template="(NOT %(function)s(%(expressions)s::jsonpath, '{}', true))",
                ),
                name="reduction_step_group_by_entries",
                violation_error_message="Group by must be a list of dimensions: observing_program, obs_unit, executed_obs_unit, source, instrument_module, night.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("version_policy__in", ["exact", "compatible"]), _negated=True),
                    ("pinned_version__isnull", False),
                    _connector="OR",
                ),
                name="reduction_step_policy_has_version",
                violation_error_message="An exact or compatible version needs a version to start from.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="reduction_step_name_not_blank",
                violation_error_message="Name must not be blank.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("version_policy__in", ["exact", "compatible", "latest"])),
                name="reduction_step_version_policy_known",
                violation_error_message="Version policy must be one of: exact, compatible, latest.",
            ),
        ),
        migrations.CreateModel(
            name="ExecutedReductionStep",
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
                    "step",
                    models.ForeignKey(
                        db_comment="The step.",
                        db_index=False,
                        help_text="The step.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="opsdb.reductionstep",
                        verbose_name="step",
                    ),
                ),
                (
                    "software_version",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The version that ran; of the step's software.",
                        help_text="The version that ran; of the step's software.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="opsdb.reductionsoftwareversion",
                        verbose_name="software version",
                    ),
                ),
                (
                    "sub_group_key",
                    models.CharField(
                        blank=True,
                        db_comment="Which sub-group of the data; empty for all together.",
                        default="",
                        help_text="Which sub-group of the data; empty for all together.",
                        max_length=500,
                        verbose_name="sub group key",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("staging_data", "staging data"),
                            ("submitted", "submitted"),
                            ("running", "running"),
                            ("collecting_results", "collecting results"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        db_comment="Where it stands.",
                        default="pending",
                        help_text="Where it stands.",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "hpc_job_id",
                    models.CharField(
                        blank=True,
                        db_comment="Number of the job at the cluster.",
                        default="",
                        help_text="Number of the job at the cluster.",
                        max_length=100,
                        verbose_name="HPC job ID",
                    ),
                ),
                (
                    "retry_count",
                    models.IntegerField(
                        db_comment="How often it was tried again.",
                        default=0,
                        help_text="How often it was tried again.",
                        verbose_name="retry count",
                    ),
                ),
                (
                    "failure_message",
                    models.TextField(
                        blank=True,
                        db_comment="What went wrong last.",
                        default="",
                        help_text="What went wrong last.",
                        verbose_name="failure message",
                    ),
                ),
                (
                    "staging_job",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The job that staged its data.",
                        help_text="The job that staged its data.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="opsdb.stagingjob",
                        verbose_name="staging job",
                    ),
                ),
                (
                    "exit_code",
                    models.IntegerField(
                        blank=True,
                        db_comment="Exit code of the program.",
                        help_text="Exit code of the program.",
                        null=True,
                        verbose_name="exit code",
                    ),
                ),
                (
                    "wall_time_seconds",
                    models.FloatField(
                        blank=True,
                        db_comment="Run time, seconds.",
                        help_text="Run time, seconds.",
                        null=True,
                        verbose_name="wall time [s]",
                    ),
                ),
                (
                    "cpu_hours",
                    models.FloatField(
                        blank=True,
                        db_comment="Processor time, core hours.",
                        help_text="Processor time, core hours.",
                        null=True,
                        verbose_name="CPU [h]",
                    ),
                ),
                (
                    "peak_memory_gb",
                    models.FloatField(
                        blank=True,
                        db_comment="Most memory it held, GB.",
                        help_text="Most memory it held, GB.",
                        null=True,
                        verbose_name="peak memory [GB]",
                    ),
                ),
                (
                    "submitted_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was handed to the cluster (UTC).",
                        help_text="When it was handed to the cluster (UTC).",
                        null=True,
                        verbose_name="submitted at",
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it began (UTC).",
                        help_text="When it began (UTC).",
                        null=True,
                        verbose_name="started at",
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it ended (UTC).",
                        help_text="When it ended (UTC).",
                        null=True,
                        verbose_name="finished at",
                    ),
                ),
            ],
            options={
                "db_table": "executed_reduction_step",
                "db_table_comment": "One run of a reduction step on one sub-group of the data.",
            },
        ),
        migrations.CreateModel(
            name="DataProduct",
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
                    "run",
                    models.ForeignKey(
                        db_comment="The run that made it.",
                        db_index=False,
                        help_text="The run that made it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="opsdb.executedreductionstep",
                        verbose_name="run",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("science", "science"),
                            ("qa_metric", "QA metric"),
                            ("plot", "plot"),
                            ("statistics", "statistics"),
                            ("log", "log"),
                        ],
                        db_comment="What it is.",
                        help_text="What it is.",
                        max_length=20,
                        verbose_name="type",
                    ),
                ),
                ("name", models.CharField(db_comment="Name.", help_text="Name.", max_length=255, verbose_name="name")),
                (
                    "relative_path",
                    models.CharField(
                        db_comment="Path below its location, unique in the run.",
                        help_text="Path below its location, unique in the run.",
                        max_length=1000,
                        verbose_name="relative path",
                    ),
                ),
                (
                    "quality_metrics",
                    models.JSONField(
                        blank=True,
                        db_comment="Measures of its quality, a JSON object.",
                        default=dict,
                        help_text="Measures of its quality, a JSON object.",
                        verbose_name="quality metrics",
                    ),
                ),
                (
                    "intermediate",
                    models.BooleanField(
                        db_comment="Whether it only serves later steps.",
                        default=False,
                        help_text="Whether it only serves later steps.",
                        verbose_name="intermediate",
                    ),
                ),
                (
                    "superseded_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The product that replaces it.",
                        help_text="The product that replaces it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="supersedes",
                        to="opsdb.dataproduct",
                        verbose_name="superseded by",
                    ),
                ),
            ],
            options={
                "db_table": "data_product",
                "db_table_comment": "A file that a run made: a map, a spectrum, a plot, a number, a log.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size_bytes__gte", 0)),
                        name="data_product_size_bytes_not_negative",
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
                        name="data_product_checksum_format",
                        violation_error_message="The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
                    ),
                    models.UniqueConstraint(
                        fields=("run", "relative_path"),
                        name="data_product_unique_path",
                        violation_error_message="The run has a product of this path.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("relative_path__regex", "(^$|^/|/$|//|(^|/)\\.\\.?(/|$)|[[:cntrl:]])"), _negated=True
                        ),
                        name="data_product_relative_path_inside",
                        violation_error_message="The path must be relative, without a leading, trailing or double slash, '.', '..' or control characters.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("quality_metrics"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("object"),
                        ),
                        name="data_product_quality_metrics_object",
                        violation_error_message='Quality metrics must be a JSON object, such as {"key": 1}.',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("superseded_by", models.F("id")), _negated=True),
                        name="data_product_superseded_by_differs",
                        violation_error_message="A product can't supersede itself.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "checksum_algorithm__in",
                                ["sha256", "sha512", "blake2b", "md5", "xxh3", "adler32", "crc32c"],
                            )
                        ),
                        name="data_product_checksum_algorithm_known",
                        violation_error_message="Checksum algorithm must be one of: sha256, sha512, blake2b, md5, xxh3, adler32, crc32c.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["science", "qa_metric", "plot", "statistics", "log"])),
                        name="data_product_type_known",
                        violation_error_message="Type must be one of: science, qa_metric, plot, statistics, log.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="data_product_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("relative_path", ""), _negated=True),
                        name="data_product_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["relative_path"], name="data_product_by_path"),
                    models.Index(fields=["name"], name="data_product_by_name"),
                ],
            },
        ),
        migrations.AddField(
            model_name="stagingjob",
            name="data_products",
            field=models.ManyToManyField(
                blank=True,
                help_text="Data products to stage.",
                related_name="staging_jobs",
                to="opsdb.dataproduct",
                verbose_name="data products",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("retry_count__gte", 0)),
                name="staging_job_retry_count_not_negative",
                violation_error_message="Retry count must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_retries__gte", 0)),
                name="staging_job_max_retries_not_negative",
                violation_error_message="Max retries must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "failed"), _negated=True),
                    models.Q(("failure_message", ""), _negated=True),
                    _connector="OR",
                ),
                name="staging_job_failed_has_message",
                violation_error_message="A failed row must say what went wrong.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "in_progress"), _negated=True), ("started_at__isnull", False), _connector="OR"
                ),
                name="staging_job_in_progress_has_start",
                violation_error_message="Work in progress must say when it started.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["completed", "failed"]), ("finished_at__isnull", False)),
                    models.Q(
                        models.Q(("status__in", ["completed", "failed"]), _negated=True), ("finished_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="staging_job_finished_at_when_finished",
                violation_error_message="Finished at is set exactly when the work is completed or failed.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "scheduled", "in_progress", "completed", "failed"])),
                name="staging_job_status_known",
                violation_error_message="Status must be one of: pending, scheduled, in_progress, completed, failed.",
            ),
        ),
        migrations.AddIndex(
            model_name="stagingjob",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "scheduled", "in_progress", "failed"])),
                fields=["status", "created_at"],
                name="staging_job_open",
            ),
        ),
        migrations.AddIndex(
            model_name="stagingjob",
            index=models.Index(condition=models.Q(("active", True)), fields=["expires_at"], name="staging_job_active"),
        ),
        migrations.CreateModel(
            name="ExecutedReductionStepInputPackage",
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
                    "run",
                    models.ForeignKey(
                        db_comment="The run.",
                        db_index=False,
                        help_text="The run.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="opsdb.executedreductionstep",
                        verbose_name="run",
                    ),
                ),
                (
                    "raw_data_package",
                    models.ForeignKey(
                        db_comment="The raw package it read.",
                        help_text="The raw package it read.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="opsdb.rawdatapackage",
                        verbose_name="raw data package",
                    ),
                ),
            ],
            options={
                "verbose_name": "input raw package",
                "verbose_name_plural": "input raw packages",
                "db_table": "executed_reduction_step_input_package",
                "db_table_comment": "One raw package that a run read. It can't be deleted from under the run.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "raw_data_package"),
                        name="executed_reduction_step_input_package_unique_pair",
                        violation_error_message="The run has this input already.",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="executedreductionstep",
            name="input_packages",
            field=models.ManyToManyField(
                blank=True,
                help_text="The raw packages it read.",
                related_name="reduction_runs",
                through="opsdb.ExecutedReductionStepInputPackage",
                to="opsdb.rawdatapackage",
                verbose_name="input packages",
            ),
        ),
        migrations.CreateModel(
            name="ExecutedReductionStepInputProduct",
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
                    "run",
                    models.ForeignKey(
                        db_comment="The run.",
                        db_index=False,
                        help_text="The run.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="opsdb.executedreductionstep",
                        verbose_name="run",
                    ),
                ),
                (
                    "data_product",
                    models.ForeignKey(
                        db_comment="The data product it read.",
                        help_text="The data product it read.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="opsdb.dataproduct",
                        verbose_name="data product",
                    ),
                ),
            ],
            options={
                "verbose_name": "input data product",
                "verbose_name_plural": "input data products",
                "db_table": "executed_reduction_step_input_product",
                "db_table_comment": "One data product that a run read. It can't be deleted from under the run.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "data_product"),
                        name="executed_reduction_step_input_product_unique_pair",
                        violation_error_message="The run has this input already.",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="executedreductionstep",
            name="input_products",
            field=models.ManyToManyField(
                blank=True,
                help_text="The data products it read.",
                related_name="consuming_runs",
                through="opsdb.ExecutedReductionStepInputProduct",
                to="opsdb.dataproduct",
                verbose_name="input products",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ("pending", "staging_data", "submitted", "running", "collecting_results"))
                ),
                fields=("step", "sub_group_key"),
                name="executed_reduction_step_unique_open",
                violation_error_message="The step has an open run for this sub-group.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("retry_count__gte", 0)),
                name="executed_reduction_step_retry_count_not_negative",
                violation_error_message="Retry count must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("wall_time_seconds__gte", 0)),
                name="executed_reduction_step_wall_time_seconds_not_negative",
                violation_error_message="Wall time must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("cpu_hours__gte", 0)),
                name="executed_reduction_step_cpu_hours_not_negative",
                violation_error_message="CPU must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("peak_memory_gb__gte", 0)),
                name="executed_reduction_step_peak_memory_gb_not_negative",
                violation_error_message="Peak memory must be 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "failed"), _negated=True),
                    models.Q(("failure_message", ""), _negated=True),
                    _connector="OR",
                ),
                name="executed_reduction_step_failed_has_message",
                violation_error_message="A failed run says what went wrong.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True), ("finished_at__isnull", False), _connector="OR"
                ),
                name="executed_reduction_step_completed_has_end",
                violation_error_message="A completed run says when it ended.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "pending",
                            "staging_data",
                            "submitted",
                            "running",
                            "collecting_results",
                            "completed",
                            "failed",
                            "cancelled",
                        ],
                    )
                ),
                name="executed_reduction_step_status_known",
                violation_error_message="Status must be one of: pending, staging_data, submitted, running, collecting_results, completed, failed, cancelled.",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("wall_time_seconds__gt", float("-inf")),
                    ("wall_time_seconds__lt", float("inf")),
                    ("cpu_hours__gt", float("-inf")),
                    ("cpu_hours__lt", float("inf")),
                    ("peak_memory_gb__gt", float("-inf")),
                    ("peak_memory_gb__lt", float("inf")),
                ),
                name="executed_reduction_step_finite",
                violation_error_message="Numbers must be finite: neither NaN nor infinite.",
            ),
        ),
        migrations.AddIndex(
            model_name="executedreductionstep",
            index=models.Index(fields=["step", "-id"], name="executed_reduction_step_by_step"),
        ),
        migrations.AddIndex(
            model_name="executedreductionstep",
            index=models.Index(
                condition=models.Q(
                    ("status__in", ["pending", "staging_data", "submitted", "running", "collecting_results", "failed"])
                ),
                fields=["status", "created_at"],
                name="executed_reduction_step_open",
            ),
        ),
    ]
