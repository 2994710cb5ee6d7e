import opsdb.models.constraints
from django.db import IntegrityError, migrations
from django.db.models import Q

SHOWN = 5


def name_services_that_are_staff(apps, schema_editor):
    """Say which users have to be corrected first: the rule looks only at what changes after it.

    Raises:
        IntegrityError: there are such users.
    """
    user = apps.get_model("opsdb", "User")
    # A project with a user model of its own has no table for ours.
    if user._meta.swapped:
        return
    users = user._base_manager.using(schema_editor.connection.alias)
    found = users.filter(Q(is_staff=True) | Q(is_superuser=True), groups__name="service").order_by("username")
    if names := list(found.values_list("username", flat=True)[: SHOWN + 1]):
        listed = ", ".join(names[:SHOWN]) + (" and more" if names[SHOWN:] else "")
        raise IntegrityError(
            f"in the role service and staff or superuser at once: {listed}; take them out of the role, or make them "
            "neither staff nor superuser, then migrate again"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("opsdb", "0020_history_of_bulk_updates"),
    ]

    operations = [
        migrations.RunPython(name_services_that_are_staff, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="user",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM user_groups AS link JOIN auth_group ON auth_group.id = link.group_id WHERE link.user_id = NEW.id AND auth_group.name = 'service') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'user ' || NEW.username || ': whoever is in the role service can be neither staff nor superuser', HINT = 'Programs sign in by tokens; take the user out of the role service first, or make another for the person.', COLUMN = CASE WHEN NEW.is_staff THEN 'is_staff' ELSE 'is_superuser' END;\nEND IF;\nRETURN NEW;",
                events='INSERT OR UPDATE OF "is_staff", "is_superuser"',
                name="user_service_is_no_staff",
                when="NEW.is_staff OR NEW.is_superuser",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT username, is_staff OR is_superuser AS privileged INTO found FROM \"user\" WHERE id = NEW.user_id AND EXISTS (SELECT FROM auth_group WHERE id = NEW.group_id AND name = 'service') FOR NO KEY UPDATE;\nIF found.privileged THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'user ' || found.username || ': whoever is in the role service can be neither staff nor superuser', HINT = 'Programs sign in by tokens; take the user out of the role service first, or make another for the person.', COLUMN = 'groups';\nEND IF;\nRETURN NEW;",
                declare="found record;",
                name="user_groups_keep_staff_from_service",
                table="user_groups",
            ),
        ),
    ]
