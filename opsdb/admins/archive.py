"""The way into the long-term archive, and back out of it for processing."""

from django.contrib import admin

from opsdb.models import LongTermArchiveTransfer, LongTermArchiveTransferLog, StagingJob

from .actions.archive import ARCHIVE_TRANSFER_ACTIONS, STAGING_JOB_ACTIONS
from .kit.admin import OpsAdmin, ReadOnlyMixin
from .kit.inlines import listing
from .kit.path_parts import OBSERVATION_OF_PACKAGE


@admin.register(LongTermArchiveTransfer)
class LongTermArchiveTransferAdmin(OpsAdmin):
    actions = ARCHIVE_TRANSFER_ACTIONS
    part_finders = OBSERVATION_OF_PACKAGE
    list_display = (
        "id",
        "raw_data_package",
        "status",
        "failure_message",
        "why",
        "origin_location",
        "destination_location",
        "retry_count",
        "finished_at",
    )
    list_filter = ("status", "origin_location", "destination_location")
    inlines = (listing(LongTermArchiveTransferLog, "logged_at", "level", "status", "message", "log_path"),)


@admin.register(LongTermArchiveTransferLog)
class LongTermArchiveTransferLogAdmin(ReadOnlyMixin, OpsAdmin):
    list_display = ("logged_at", "long_term_archive_transfer", "level", "status", "message", "log_path")
    list_filter = ("long_term_archive_transfer",)


@admin.register(StagingJob)
class StagingJobAdmin(OpsAdmin):
    actions = STAGING_JOB_ACTIONS
    owned = ("active",)
    list_display = (
        "id",
        "status",
        "purpose",
        "destination_location",
        "failure_message",
        "why",
        "active",
        "requested_by",
        "expires_at",
    )
    list_filter = ("status", "active", "destination_location")

    def offers_deletion_of(self, row: StagingJob) -> bool:
        # What an active job has staged stays with it.
        return not row.active
