"""Where the bytes are, whether they are still right, and what shall be deleted."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from opsdb.models import (
    DataProductPhysicalCopy,
    DataTransferPackagePhysicalCopy,
    DeletionPolicy,
    DeletionRequest,
    DeletionRequestItem,
    DeletionRequestStatus,
    FixityCheck,
    PhysicalCopy,
    RawDataFilePhysicalCopy,
    RawDataPackagePhysicalCopy,
)
from opsdb.models.copies.querysets import COPY_TARGETS
from opsdb.models.enums import Verification

from .actions.copies import COPY_ACTIONS, DELETION_REQUEST_ACTIONS
from .actions.deciding import decision_note
from .actions.judging import judge_deletions
from .copy_filters import EXISTING, HIDE_WHAT_IS_GONE, MayGoFilter, VerificationFilter
from .kit.admin import OpsAdmin, ReadOnlyMixin
from .kit.filters import only
from .kit.inlines import LinkInline, listing, parts
from .kit.narrowing import ListNote
from .kit.path_parts import CopiesFinder
from .pages.viewer import Viewer


@admin.register(PhysicalCopy)
class PhysicalCopyAdmin(OpsAdmin):
    actions = COPY_ACTIONS
    part_finders = tuple(CopiesFinder(target) for target in COPY_TARGETS)
    owned = (
        "verification",
        "verified_at",
        "unread_count",
        "next_check_at",
        "retry_count",
        "failure_message",
        "deletion_requested_at",
        "deleted_at",
    )
    facts = ("size_bytes", "checksum", "checksum_algorithm")
    list_display = ("id", "status", "verification", "why", "size_bytes", "arrived_at", "verified_at")
    list_filter = ("status", ("verification", VerificationFilter), "data_location", MayGoFilter)
    inlines = (listing(FixityCheck, "checked_at", "ok", "algorithm", "checked_by", fk_name="copy"),)

    def notes_on_list(self, changes: ChangeList) -> Iterator[ListNote]:
        """Yield that records of what is gone are listed, too, where nothing narrows the list by state."""
        if not changes.query and not any(name.startswith(HIDE_WHAT_IS_GONE) for name in changes.filter_params):
            text = _("The records of deleted and missing copies are among these.")
            url = changes.get_query_string(EXISTING)
            yield ListNote(text, url, _("Only copies that are there"), leaves_out=False)


@admin.register(
    RawDataFilePhysicalCopy,
    RawDataPackagePhysicalCopy,
    DataTransferPackagePhysicalCopy,
    DataProductPhysicalCopy,
)
class CopiesOfOneKindAdmin(PhysicalCopyAdmin):
    # The first copies of a location may all be of other kinds.
    list_filter = ("status", ("verification", only(Verification.MISMATCH)), "data_location")

    @property
    def part_finders(self) -> Sequence[CopiesFinder]:
        """What a search looks at beside keys."""
        return (CopiesFinder(self.target),)

    @property
    def target(self) -> str:
        """Name of the field that refers to what these are copies of."""
        return self.model.objects.target

    @property
    def hidden(self) -> Collection[str]:
        return {*COPY_TARGETS} - {self.target}


@admin.register(FixityCheck)
class FixityCheckAdmin(OpsAdmin):
    list_display = ("checked_at", "copy", "ok", "algorithm", "checked_by")
    list_filter = ("ok",)


@admin.register(DeletionPolicy)
class DeletionPolicyAdmin(ReadOnlyMixin, OpsAdmin):
    list_display = ("min_archive_copies", "updated_at")
    search_fields = ("id",)


@admin.register(DeletionRequest)
class DeletionRequestAdmin(OpsAdmin):
    actions = DELETION_REQUEST_ACTIONS
    owned = ("requested_by", "approved_by", "decided_at", "executed_at")
    list_display = (
        "reason",
        "data_location",
        "status",
        "overrides_retention",
        "limit",
        "requested_by",
        "approved_by",
        "created_at",
    )
    list_filter = ("status", "data_location")
    ordering = ("-pk",)

    def has_change_permission(self, request: HttpRequest, obj: DeletionRequest | None = None) -> bool:
        # The database refuses what was on a page before another person decided, and gives the reason.
        is_editable = obj is None or request.method == "POST" or _is_open(obj)
        return is_editable and super().has_change_permission(request, obj)

    def offers_deletion_of(self, row: DeletionRequest) -> bool:
        return _is_open(row)

    def note_on(self, request: DeletionRequest, viewer: Viewer) -> str:
        """Return the note on a request above its buttons: why they are not offered."""
        return decision_note(viewer, request)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: DeletionRequest | None = None,
    ) -> HttpResponse:
        if obj is not None and not add:
            context["judged"] = judge_deletions([obj])
            context["row_note"] = self.note_on(obj, Viewer(request, self.admin_site))
        return super().render_change_form(request, context, add, change, form_url, obj)

    inlines = (parts(DeletionRequestItem, base=LinkInline),)


def _is_open(request):
    """Return whether a request for deletion is undecided, so that it can still be edited and withdrawn."""
    return request.status == DeletionRequestStatus.REQUESTED
