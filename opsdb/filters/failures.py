"""Acknowledgements of failures."""

from opsdb.models import FailureAcknowledgement

from .base import OpsFilterSet

__all__ = ["FailureAcknowledgementFilterSet"]


class FailureAcknowledgementFilterSet(OpsFilterSet[FailureAcknowledgement]):
    search_fields = ("id", "message", "place", "reason", "informed")
    windows = ("created_at", "until")
    order = "-id"

    class Meta:
        model = FailureAcknowledgement
        fields = ("cause", "acknowledged_by")
