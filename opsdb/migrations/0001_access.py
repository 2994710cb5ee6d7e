import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "is_superuser",
                    models.BooleanField(
                        db_comment="Designates that this user has all permissions without explicitly assigning them.",
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        db_comment="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        db_comment="Designates whether the user can log into this admin site.",
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        db_comment="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
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
                    "password",
                    models.CharField(
                        db_comment="Hash of the password, with how it was made.",
                        help_text="Hash of the password, with how it was made.",
                        max_length=128,
                        verbose_name="password",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(
                        blank=True,
                        db_comment="Given name.",
                        help_text="Given name.",
                        max_length=150,
                        verbose_name="first name",
                    ),
                ),
                (
                    "last_name",
                    models.CharField(
                        blank=True,
                        db_comment="Family name.",
                        help_text="Family name.",
                        max_length=150,
                        verbose_name="last name",
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        db_comment="Where messages go.",
                        help_text="Where messages go.",
                        max_length=254,
                        verbose_name="email",
                    ),
                ),
                (
                    "last_login",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When the person signed in last (UTC).",
                        help_text="When the person signed in last (UTC).",
                        null=True,
                        verbose_name="last login",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(
                        db_comment="When the account was made (UTC).",
                        default=django.utils.timezone.now,
                        help_text="When the account was made (UTC).",
                        verbose_name="date joined",
                    ),
                ),
                (
                    "github_login",
                    models.CharField(
                        blank=True,
                        db_comment="Login at GitHub, by which the person signs in elsewhere.",
                        default="",
                        help_text="Login at GitHub, by which the person signs in elsewhere.",
                        max_length=39,
                        verbose_name="GitHub login",
                    ),
                ),
                (
                    "affiliation",
                    models.CharField(
                        blank=True,
                        db_comment="Institute.",
                        default="",
                        help_text="Institute.",
                        max_length=200,
                        verbose_name="affiliation",
                    ),
                ),
                (
                    "preferences",
                    models.JSONField(
                        blank=True,
                        db_comment="Settings of the user interface, a JSON object.",
                        default=dict,
                        help_text="Settings of the user interface, a JSON object.",
                        verbose_name="preferences",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "db_table": "user",
                "db_table_comment": "A person or a service that works with the database. A host project may bring its own user model.",
                "abstract": False,
                "swappable": "AUTH_USER_MODEL",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("github_login", ""), _negated=True),
                        fields=("github_login",),
                        name="user_unique_github_login",
                        violation_error_message="Another user has this GitHub login.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("preferences"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("object"),
                        ),
                        name="user_preferences_object",
                        violation_error_message='Preferences must be a JSON object, such as {"key": 1}.',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("username", ""), _negated=True),
                        name="user_username_not_blank",
                        violation_error_message="Username must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("password", ""), _negated=True),
                        name="user_password_not_blank",
                        violation_error_message="Password must not be blank.",
                    ),
                ],
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                (
                    "group_ptr",
                    models.OneToOneField(
                        db_column="id",
                        db_comment="The group that this describes.",
                        help_text="The group that this describes.",
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="auth.group",
                        verbose_name="group ptr",
                    ),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        db_comment="What it is for, in short.",
                        default="",
                        help_text="What it is for, in short.",
                        max_length=200,
                        verbose_name="description",
                    ),
                ),
                (
                    "builtin",
                    models.BooleanField(
                        db_comment="Whether initialization keeps it.",
                        default=False,
                        help_text="Whether initialization keeps it.",
                        verbose_name="builtin",
                    ),
                ),
            ],
            options={
                "db_table": "role",
                "db_table_comment": "A group of permissions with a meaning: what a kind of user may do.",
            },
            bases=("auth.group",),
            managers=[
                ("objects", django.contrib.auth.models.GroupManager()),
            ],
        ),
        migrations.CreateModel(
            name="ApiToken",
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
                    "user",
                    models.ForeignKey(
                        db_comment="For whom it acts.",
                        db_index=False,
                        help_text="For whom it acts.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_comment="What it is for, unique for the user.",
                        help_text="What it is for, unique for the user.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "token_prefix",
                    models.CharField(
                        db_comment="First 8 characters of the secret, to tell tokens apart.",
                        help_text="First 8 characters of the secret, to tell tokens apart.",
                        max_length=8,
                        verbose_name="token prefix",
                    ),
                ),
                (
                    "token_hash",
                    models.CharField(
                        db_comment="SHA-256 of the secret, hexadecimal.",
                        help_text="SHA-256 of the secret, hexadecimal.",
                        max_length=64,
                        unique=True,
                        verbose_name="token hash",
                    ),
                ),
                (
                    "scopes",
                    models.JSONField(
                        blank=True,
                        db_comment='What it may do: a JSON list of "action:resource", "*" for any.',
                        default=list,
                        help_text='What it may do: a JSON list of "action:resource", "*" for any.',
                        verbose_name="scopes",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        db_comment="Whether it may be used.",
                        default=True,
                        help_text="Whether it may be used.",
                        verbose_name="active",
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it ends (UTC); empty for never.",
                        help_text="When it ends (UTC); empty for never.",
                        null=True,
                        verbose_name="expires at",
                    ),
                ),
                (
                    "usage_count",
                    models.BigIntegerField(
                        db_comment="How often it was used.",
                        default=0,
                        editable=False,
                        help_text="How often it was used.",
                        verbose_name="usage count",
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was used last (UTC).",
                        editable=False,
                        help_text="When it was used last (UTC).",
                        null=True,
                        verbose_name="last used at",
                    ),
                ),
                (
                    "last_used_ip",
                    models.GenericIPAddressField(
                        blank=True,
                        db_comment="Address from which it was used last.",
                        editable=False,
                        help_text="Address from which it was used last.",
                        null=True,
                        verbose_name="last used IP",
                    ),
                ),
                (
                    "allowed_networks",
                    models.JSONField(
                        blank=True,
                        db_comment='Networks it may be used from: a JSON list such as ["10.0.0.0/8"]; empty for any.',
                        default=list,
                        help_text='Networks it may be used from: a JSON list such as ["10.0.0.0/8"]; empty for any.',
                        verbose_name="allowed networks",
                    ),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="When it was withdrawn (UTC).",
                        help_text="When it was withdrawn (UTC).",
                        null=True,
                        verbose_name="revoked at",
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who withdrew it.",
                        help_text="Who withdrew it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="revoked by",
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "db_table": "api_token",
                "db_table_comment": "A secret by which a program acts for a user. Only a hash of the secret is stored.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "name"),
                        name="api_token_unique_name",
                        violation_error_message="The user has a token of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("token_prefix__regex", "^.{8}$")),
                        name="api_token_token_prefix_format",
                        violation_error_message="The prefix is the first 8 characters of the secret.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("token_hash__regex", "^[0-9a-f]{64}$")),
                        name="api_token_token_hash_format",
                        violation_error_message="The hash must be 64 lower-case hexadecimal digits.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(models.F("scopes"), function="jsonb_typeof", output_field=models.TextField()),
                            models.Value("array"),
                        ),
                        name="api_token_scopes_list",
                        violation_error_message='Scopes must be a JSON list, such as ["one", "two"].',
                    ),
                    models.CheckConstraint(
                        condition=models.Func(
                            models.F("scopes"),
                            models.Value(
                                'strict $[*] ? (!(@.type() == "string" && @ like_regex "^(\\\\*|[a-z_]+):(\\\\*|[a-z_]+)$"))'
                            ),
                            function="jsonb_path_exists",
                            output_field=models.BooleanField(),
                            template="(NOT %(function)s(%(expressions)s::jsonpath, '{}', true))",
                        ),
                        name="api_token_scopes_entries",
                        violation_error_message="Scopes must be a list of texts like read:raw_data_file or *:*.",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("allowed_networks"), function="jsonb_typeof", output_field=models.TextField()
                            ),
                            models.Value("array"),
                        ),
                        name="api_token_allowed_networks_list",
                        violation_error_message='Allowed networks must be a JSON list, such as ["one", "two"].',
                    ),
                    models.CheckConstraint(
                        condition=models.Func(
                            models.F("allowed_networks"),
                            models.Value(
                                'strict $[*] ? (!(@.type() == "string" && @ like_regex "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$"))'
                            ),
                            function="jsonb_path_exists",
                            output_field=models.BooleanField(),
                            template="(NOT %(function)s(%(expressions)s::jsonpath, '{}', true))",
                        ),
                        name="api_token_allowed_networks_entries",
                        violation_error_message="Allowed networks must be a list of networks like 10.0.0.0/8.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("usage_count__gte", 0)),
                        name="api_token_usage_count_not_negative",
                        violation_error_message="Usage count must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at__isnull", False), _negated=True), ("active", False), _connector="OR"
                        ),
                        name="api_token_revoked_not_active",
                        violation_error_message="A withdrawn token is not active.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="api_token_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("token_prefix", ""), _negated=True),
                        name="api_token_token_prefix_not_blank",
                        violation_error_message="Token prefix must not be blank.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("token_hash", ""), _negated=True),
                        name="api_token_token_hash_not_blank",
                        violation_error_message="Token hash must not be blank.",
                    ),
                ],
            },
        ),
    ]
