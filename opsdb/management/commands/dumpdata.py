"""``manage.py dumpdata``: Django's own, without views, whose rows can't be loaded."""

from django.core.management.commands import dumpdata

from opsdb.management.command import OpsdbCommand


class Command(OpsdbCommand, dumpdata.Command):
    """Write rows as fixtures, and leave out the models of views: what they show follows from the tables."""

    examples = ("dumpdata opsdb auth.group --natural-foreign --output rows.json",)

    def handle(self, *app_labels, **options):
        from django.apps import apps

        views = [model._meta.label for model in apps.get_app_config("opsdb").get_models() if not model._meta.managed]
        return super().handle(*app_labels, **{**options, "exclude": [*options["exclude"], *views]})
