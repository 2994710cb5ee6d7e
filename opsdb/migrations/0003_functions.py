import opsdb.database.operations
from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('opsdb', '0002_tables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        opsdb.database.operations.DefineUserLookup(
        ),
        opsdb.database.operations.DefineFunctions(
            folder='0003',
        ),
    ]
