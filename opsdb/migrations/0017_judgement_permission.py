from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("opsdb", "0016_safer_deletion"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="executedobsunit",
            options={
                "permissions": [("assess_executedobsunit", "Can judge the quality of an executed observation unit")],
                "verbose_name": "executed observation unit",
            },
        ),
    ]
