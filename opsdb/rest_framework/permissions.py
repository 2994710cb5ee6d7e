"""Permissions of API requests: Django's own, by model or by name."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission, DjangoModelPermissions
from rest_framework.request import Request


class ModelPermissions(DjangoModelPermissions):
    """Django's permissions of the model, that to view it included."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": ["%(app_label)s.view_%(model_name)s"],
    }


class NamedPermissions(BasePermission):
    """Permissions by name: the view's ``required_permissions``, such as ``{"GET": "read:data", "POST": "write:data"}``.

    A method that the mapping does not name is refused.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        names: dict[str, str] = view.required_permissions
        name = names.get("GET" if request.method in ("HEAD", "OPTIONS") else request.method or "")
        return name is not None and bool(request.user and request.user.is_authenticated and request.user.has_perm(name))
