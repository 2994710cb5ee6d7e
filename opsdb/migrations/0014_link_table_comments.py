from django.db import migrations


def comment_on_link_tables(apps, schema_editor):
    """Say what a row of each many-to-many table is; Django comments only on tables that have a model of their own."""
    quote, literal = schema_editor.quote_name, schema_editor.quote_value
    for model in apps.get_app_config("opsdb").get_models():
        if not model._meta.can_migrate(schema_editor.connection):
            continue
        for field in model._meta.local_many_to_many:
            link = field.remote_field.through._meta
            if not link.auto_created:
                continue
            one, other = model._meta.verbose_name, field.related_model._meta.verbose_name
            schema_editor.execute(
                f"COMMENT ON TABLE {quote(link.db_table)} IS {literal(f'Link of one {one} to one {other}: {field.name}.')}"
            )
            meanings = {
                "id": "Number of the row.",
                field.m2m_column_name(): f"The {one}.",
                field.m2m_reverse_name(): f"The {other}.",
            }
            for column, meaning in meanings.items():
                schema_editor.execute(f"COMMENT ON COLUMN {quote(link.db_table)}.{quote(column)} IS {literal(meaning)}")


class Migration(migrations.Migration):
    dependencies = [("opsdb", "0013_rules")]

    operations = [migrations.RunPython(comment_on_link_tables, migrations.RunPython.noop)]
