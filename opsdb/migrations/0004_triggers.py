from opsdb.database.operations import CreateTriggers
from django.db import migrations


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('opsdb', '0003_functions'),
    ]

    operations = [
        CreateTriggers(
            folder='0004',
        ),
        migrations.RunSQL(
            sql='',
            reverse_sql="\nDO $$\nDECLARE\n    month name;\nBEGIN\n    FOR month IN SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid\n        WHERE pg_inherits.inhparent = 'change_log'::regclass AND relname <> 'change_log_default'\n    LOOP\n        EXECUTE format('DROP TRIGGER %I ON %I', month || '_never_truncated', month);\n    END LOOP;\nEND\n$$\n",
        ),
    ]
