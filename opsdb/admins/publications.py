"""What came of it: data releases and publications."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import DataRelease, Publication

from .kit.admin import OpsAdmin


@admin.register(DataRelease)
class DataReleaseAdmin(OpsAdmin):
    list_display = ("name", "version", "doi", "released_at", "public")


@admin.register(Publication)
class PublicationAdmin(OpsAdmin):
    list_display = ("title", "year", "journal", "status", "doi", "bibcode")
    ordering = ("-year", "title")
    help_texts = {"authors": lazy("Authors, one on each line.")}
