import django.db.models.functions.datetime
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0010_copies"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataRelease",
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
                ("name", models.CharField(db_comment="Name.", help_text="Name.", max_length=200, verbose_name="name")),
                (
                    "version",
                    models.CharField(
                        db_comment="Version, unique with the name.",
                        help_text="Version, unique with the name.",
                        max_length=50,
                        verbose_name="version",
                    ),
                ),
                (
                    "doi",
                    models.CharField(
                        blank=True,
                        db_comment="DOI, such as 10.5281/zenodo.123.",
                        default="",
                        help_text="DOI, such as 10.5281/zenodo.123.",
                        max_length=200,
                        verbose_name="DOI",
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
                    "description",
                    models.TextField(
                        blank=True,
                        db_comment="What it holds.",
                        default="",
                        help_text="What it holds.",
                        verbose_name="description",
                    ),
                ),
                (
                    "public",
                    models.BooleanField(
                        db_comment="Whether everybody may see it.",
                        default=False,
                        help_text="Whether everybody may see it.",
                        verbose_name="public",
                    ),
                ),
                (
                    "products",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The data products in it.",
                        related_name="releases",
                        to="opsdb.dataproduct",
                        verbose_name="products",
                    ),
                ),
                (
                    "programs",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The programs it is from.",
                        related_name="releases",
                        to="opsdb.observingprogram",
                        verbose_name="programs",
                    ),
                ),
            ],
            options={
                "db_table": "data_release",
                "db_table_comment": "A set of data products that was made known under a name and a version.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "version"),
                        name="data_release_unique_version",
                        violation_error_message="This version of the release exists.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("doi", ""), _negated=True),
                        fields=("doi",),
                        name="data_release_unique_doi",
                        violation_error_message="Another release has this DOI.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("doi__regex", "^(10\\.[0-9]{4,9}/[^[:space:]]+)?$")),
                        name="data_release_doi_format",
                        violation_error_message="A DOI looks like 10.1234/abc.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="data_release_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version", ""), _negated=True),
                        name="data_release_version_not_blank",
                        violation_error_message="Version must not be blank.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Publication",
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
                    "title",
                    models.CharField(db_comment="Title.", help_text="Title.", max_length=500, verbose_name="title"),
                ),
                (
                    "doi",
                    models.CharField(
                        blank=True,
                        db_comment="DOI, unique when set.",
                        default="",
                        help_text="DOI, unique when set.",
                        max_length=200,
                        verbose_name="DOI",
                    ),
                ),
                (
                    "bibcode",
                    models.CharField(
                        blank=True,
                        db_comment="ADS bibcode (19 characters), unique when set.",
                        default="",
                        help_text="ADS bibcode (19 characters), unique when set.",
                        max_length=19,
                        verbose_name="bibcode",
                    ),
                ),
                (
                    "year",
                    models.IntegerField(
                        db_comment="Year of publication.", help_text="Year of publication.", verbose_name="year"
                    ),
                ),
                (
                    "authors",
                    models.JSONField(
                        blank=True,
                        db_comment="Authors, a JSON list of texts.",
                        default=list,
                        help_text="Authors, a JSON list of texts.",
                        verbose_name="authors",
                    ),
                ),
                (
                    "journal",
                    models.CharField(
                        blank=True,
                        db_comment="Journal or publisher.",
                        default="",
                        help_text="Journal or publisher.",
                        max_length=200,
                        verbose_name="journal",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("in_preparation", "in preparation"),
                            ("submitted", "submitted"),
                            ("accepted", "accepted"),
                            ("published", "published"),
                        ],
                        db_comment="How far it is.",
                        default="in_preparation",
                        help_text="How far it is.",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "programs",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The programs it is from.",
                        related_name="publications",
                        to="opsdb.observingprogram",
                        verbose_name="programs",
                    ),
                ),
                (
                    "releases",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The releases it uses or describes.",
                        related_name="publications",
                        to="opsdb.datarelease",
                        verbose_name="releases",
                    ),
                ),
                (
                    "products",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The data products it uses.",
                        related_name="publications",
                        to="opsdb.dataproduct",
                        verbose_name="products",
                    ),
                ),
            ],
            options={
                "db_table": "publication",
                "db_table_comment": "A paper, thesis or other text that rests on the observations.",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("doi", ""), _negated=True),
                        fields=("doi",),
                        name="publication_unique_doi",
                        violation_error_message="Another publication has this DOI.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("bibcode", ""), _negated=True),
                        fields=("bibcode",),
                        name="publication_unique_bibcode",
                        violation_error_message="Another publication has this bibcode.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("doi__regex", "^(10\\.[0-9]{4,9}/[^[:space:]]+)?$")),
                        name="publication_doi_format",
                        violation_error_message="A DOI looks like 10.1234/abc.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bibcode__regex", "^([0-9]{4}[A-Za-z0-9.&]{14}[A-Za-z.])?$")),
                        name="publication_bibcode_format",
                        violation_error_message="A bibcode has 19 characters and starts with the year.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("year__gte", 1900), ("year__lte", 2200)),
                        name="publication_year_range",
                        violation_error_message="Year must be between 1900 and 2200.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(models.F("authors"), function="jsonb_typeof", output_field=models.TextField()),
                            models.Value("array"),
                        ),
                        name="publication_authors_list",
                        violation_error_message='Authors must be a JSON list, such as ["one", "two"].',
                    ),
                    models.CheckConstraint(
                        condition=models.Func(
                            models.F("authors"),
                            models.Value('strict $[*] ? (!(@.type() == "string" && @ like_regex ".+"))'),
                            function="jsonb_path_exists",
                            output_field=models.BooleanField(),
                            template="(NOT %(function)s(%(expressions)s::jsonpath, '{}', true))",
                        ),
                        name="publication_authors_entries",
                        violation_error_message="Authors must be a list of non-empty texts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True),
                        name="publication_title_not_blank",
                        violation_error_message="Title must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["in_preparation", "submitted", "accepted", "published"])),
                        name="publication_status_known",
                        violation_error_message="Status must be one of: in_preparation, submitted, accepted, published.",
                    ),
                ],
            },
        ),
    ]
