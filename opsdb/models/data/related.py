"""Shared code of the querysets of raw data: conditions on models that are declared in later modules."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Subquery

from ..enums import PhysicalCopyStatus
from ..locations import DataLocation


def related(model: Any, name: str) -> Any:
    """Return a queryset of what points to this model under this name, which is declared in a later module."""
    return model._meta.get_field(name).related_model._default_manager.all()


def readable_keys(
    model: type[models.Model],
    target: str,
    locations: Iterable[DataLocation],
    lacking: models.QuerySet[Any],
    limit: int,
    **facts: Any,
) -> models.QuerySet[Any]:
    """Return a subquery of the keys of what can be read at locations and lacks something, up to a limit from each.

    One walk along ``physical_copy_by_location`` for each location and state, and one look for every copy: most of what
    a buffer ever held is deleted, which PostgreSQL's statistics don't show, so that it would join whole tables instead.

    Args:
        model: what the copies are of.
        target: the field of a copy that points to it.
        locations: where to look, one at least.
        lacking: a queryset, correlated to a copy, of which there must be no row.
        limit: the most from each walk.
        facts: what must hold of a copy.
    """
    copies = related(model, "copies").readable()
    waiting = copies.alias(done=Subquery(lacking.values("pk")[:1])).filter(
        **facts, **{f"{target}__isnull": False}, done__isnull=True
    )
    first, *others = (
        waiting.filter(data_location=location, status=status).order_by("arrived_at", "pk").values(target)[:limit]
        for location in locations
        for status in PhysicalCopyStatus.readable()
    )
    return first.union(*others, all=True)
