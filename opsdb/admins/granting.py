"""What people may grant by users, groups, roles and tokens: superusers anything, others only what they hold."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Permission
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

NAMED = 5  # permissions that a refusal names


def not_held(user: AbstractBaseUser, permissions: QuerySet[Permission]) -> list[str]:
    """Return the permissions that a user does not hold, as ``app.codename``."""
    if user.is_active and user.is_superuser:
        return []
    held = user.get_all_permissions()
    names = permissions.order_by().values_list("content_type__app_label", "codename").distinct()
    return sorted({f"{app}.{codename}" for app, codename in names} - held)


def may_act_as(user: AbstractBaseUser, other: Model) -> bool:
    """Return whether a person who could sign in as another would gain no permission by it."""
    if user.is_superuser or user.pk == other.pk:
        return True
    # Not by its own method, because an inactive account that can be activated holds something, too.
    held = Permission.objects.filter(Q(user=other.pk) | Q(group__user=other.pk))
    return not other.is_superuser and not not_held(user, held)


def permissions_of(field: str, granted: Iterable[Model]) -> QuerySet[Permission]:
    """Return what the rows of a many-to-many field grant."""
    if field == "groups":
        return Permission.objects.filter(group__in=[group.pk for group in granted])
    return Permission.objects.filter(pk__in=[permission.pk for permission in granted])


class GrantingMixin:
    """Mixin of an admin of users, groups or roles: in its form people grant only what they hold themselves."""

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any):
        form = super().get_form(request, obj, change=change, **kwargs)
        return form if request.user.is_superuser else form_of(request.user, form)


def form_of(user: AbstractBaseUser, form_class: type[ModelForm]) -> type[ModelForm]:
    """Return the form class with one more rule: nothing is added that grants what the user does not hold."""

    class GrantingForm(form_class):
        def clean(self) -> dict[str, Any]:
            cleaned = super().clean()
            for name in ("groups", "permissions", "user_permissions"):
                self._refuse_what_is_not_held(name)
            return cleaned

        def _refuse_what_is_not_held(self, name):
            before = getattr(self.instance, name).all() if name in self.cleaned_data and self.instance.pk else []
            added = {*self.cleaned_data.get(name, ())} - {*before}
            if added and (lacking := not_held(user, permissions_of(name, added))):
                names = ", ".join(lacking[:NAMED]) + (" …" if len(lacking) > NAMED else "")
                text = _("You can grant only what you hold yourself, and not %(names)s.")
                # The form for a new user has one choice of role instead.
                self.add_error(name if name in self.fields else None, text % {"names": names})

    return GrantingForm
