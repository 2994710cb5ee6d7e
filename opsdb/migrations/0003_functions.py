import opsdb.database.operations
from django.db import migrations


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('opsdb', '0002_tables'),
    ]

    operations = [
        opsdb.database.operations.DefineFunctions(
            folder='0003',
        ),
    ]
