"""Acknowledgements of failures."""

from django.contrib import admin

from opsdb.models import FailureAcknowledgement

from .kit.admin import OpsAdmin, ReadOnlyMixin


@admin.register(FailureAcknowledgement)
class FailureAcknowledgementAdmin(ReadOnlyMixin, OpsAdmin):
    list_display = ("message", "place", "reason", "informed", "acknowledged_by", "created_at", "until", "ended_at")
    ordering = ("-id",)
