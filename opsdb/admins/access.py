"""Who may do what."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import Model, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from opsdb.models import ApiToken, Role, User
from opsdb.permissions import describe_scope, offered_scopes

from .actions.access import REVOKE, TOKEN_ACTIONS
from .granting import GrantingMixin, may_act_as
from .kit.admin import OpsAdmin
from .kit.forms import UnchangedRowMixin

SERVICE = "service"  # the role of programs, which are never staff
# What only superusers set, and what leads into an account.
PRIVILEGES = ("is_superuser", "user_permissions")
WAYS_IN = ("username", "email", "github_login")
# How long a new token is valid, unless its maker chooses otherwise.
PROPOSED_LIFE = timedelta(days=30)
ONLY_OWN = gettext_lazy("Only superusers make tokens for somebody else.")


class RoleField(forms.ModelChoiceField):
    """A choice of a role, or of none; each is shown with what it is for."""

    widget = forms.RadioSelect(attrs={"class": "opsdb-choices"})

    def label_from_instance(self, obj: Role) -> str:
        return f"{obj.name} – {obj.description}" if obj.description else obj.name


class ColleagueForm(AdminUserCreationForm):
    """A new user: who it is, and by one choice what they may do and whether they may use the admin."""

    role = RoleField(
        Role.objects.order_by("name"),
        label=gettext_lazy("Role and access"),
        required=False,
        blank=True,
        empty_label=gettext_lazy("none: may not sign in to the admin"),
        help_text=gettext_lazy("What the colleague may do. All roles but that of services may sign in to the admin."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        role = cleaned.get("role")
        cleaned["groups"] = [role.group_ptr] if role else []
        self.instance.is_staff = role is not None and role.name != SERVICE
        return cleaned

    def _save_m2m(self):
        super()._save_m2m()
        self.instance.groups.add(*self.cleaned_data["groups"])


class PersonForm(UnchangedRowMixin, DjangoUserAdmin.form):
    """The form of a person."""


class UserAdmin(GrantingMixin, OpsAdmin, DjangoUserAdmin):
    """Superusers are edited by superusers, and accounts that hold more than their editor are not taken over."""

    form, add_form = PersonForm, ColleagueForm
    add_fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email", "affiliation", "role")}),
        (gettext_lazy("Password"), {"fields": ("usable_password", "password1", "password2")}),
    )
    list_display = ("username", "full_name", "roles", "is_staff", "is_active", "email", "affiliation")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email", "github_login")
    fieldsets = (
        *DjangoUserAdmin.fieldsets[:1],
        (None, {"fields": ("first_name", "last_name", "email", "affiliation", "github_login")}),
        *DjangoUserAdmin.fieldsets[2:],
        (gettext_lazy("Other"), {"fields": ("preferences",)}),
    )
    filter_horizontal = ("user_permissions",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        names = ArraySubquery(Group.objects.filter(user=OuterRef("pk")).order_by("name").values("name"))
        return super().get_queryset(request).annotate(opsdb_roles=names)

    @admin.display(description=gettext_lazy("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name() or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, user: User) -> str:
        """The roles, which determine what the user may do."""
        names = [*([_("superuser")] if user.is_superuser else []), *user.opsdb_roles]
        return ", ".join(names) or self.get_empty_value_display()

    full_name.needs = roles.needs = ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_no_superior(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_no_superior(request, obj) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: QuerySet | list, request: HttpRequest) -> tuple:
        names, counts, lacking, protected = super().get_deleted_objects(objs, request)
        if not all(_is_no_superior(request, user) for user in objs):
            lacking = {*lacking, _("superusers")}
        return names, counts, lacking, protected

    def _read_only_names(self, request: HttpRequest, obj: Model) -> list[str]:
        names = super()._read_only_names(request, obj)
        if request.user.is_superuser or {*PRIVILEGES} <= {*names}:
            return names
        names += PRIVILEGES if may_act_as(request.user, obj) else (*PRIVILEGES, *WAYS_IN)
        return names

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Refuse to set the password of a user who has permissions that the person lacks."""
        user = self.get_object(request, unquote(id))
        if user is not None and not may_act_as(request.user, user):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)


def _is_no_superior(request, user):
    return user is None or request.user.is_superuser or not user.is_superuser


# A host project that brings its own users brings their admin too.
if get_user_model() is User:
    admin.site.register(User, UserAdmin)


class GroupAdmin(GrantingMixin, OpsAdmin, DjangoGroupAdmin):
    """Django's own answers a search for a text with a zero byte with a server error."""

    list_display = ("name",)


if type(admin.site.get_model_admin(Group)) is DjangoGroupAdmin:
    admin.site.unregister(Group)
    admin.site.register(Group, GroupAdmin)


@admin.register(Role)
class RoleAdmin(GrantingMixin, OpsAdmin, DjangoGroupAdmin):
    list_display = ("name", "description", "builtin")


@admin.register(ApiToken)
class ApiTokenAdmin(OpsAdmin):
    hidden = ("token_hash",)
    owned = ("token_prefix", "revoked_at", "revoked_by")
    list_display = ("name", "user", "token_prefix", "active", "expires_at", "usage_count", "last_used_at")
    list_filter = ("active", "user")
    search_fields = ("name", "token_prefix__startswith", f"user__{get_user_model().USERNAME_FIELD}")
    texts_offered = {"scopes": lambda: [(name, _described(name)) for name in offered_scopes()]}
    help_texts = {
        "scopes": gettext_lazy(
            "Scopes narrow what the token may do of what its user may, and add nothing to it: read:* lets it view what "
            "the user may view. Without a scope it may do nothing. * means any action, or every table."
        ),
        "expires_at": gettext_lazy("When it stops being valid (UTC): proposed are 30 days; empty: never."),
        "allowed_networks": gettext_lazy(
            "Networks it may be used from, one on each line, such as 10.0.0.0/8; empty: any."
        ),
    }

    actions = TOKEN_ACTIONS

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        if obj is None:
            return True
        # Revoked is revoked: nothing that is edited would make it usable again. And whoever edits another's token could
        # have it do whatever that user may.
        return obj.revoked_at is None and (request.user.is_superuser or may_act_as(request.user, obj.user))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A token acts for the person who makes it, unless a superuser chooses another, and expires in 30 days."""
        end = (timezone.now() + PROPOSED_LIFE).replace(second=0, microsecond=0)
        own = {} if request.user.is_superuser else {"user": request.user.pk}
        return {**own, "expires_at": end, **super().get_changeform_initial_data(request)}

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        return form if request.user.is_superuser else _form_for_own_tokens(request.user, form)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ModelForm, change: bool) -> None:
        """Make a new token with a secret, which is not kept after the answer to this request."""
        if change:
            return super().save_model(request, obj, form, change)
        token, request.opsdb_secret = ApiToken.objects.create_token(**form.cleaned_data)
        obj.__dict__.update(token.__dict__)

    @method_decorator(never_cache)
    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret on a page of its own: a message would be kept somewhere until it is read."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("New API token"),
            "opts": self.opts,
            "token": obj,
            "secret": request.opsdb_secret,
            "scopes": [_described(scope) for scope in obj.scopes],
            "media": self.media,
            "revoke": REVOKE if REVOKE.is_allowed(self, request) else None,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/opsdb/new_token.html", context)


def _described(scope):
    return f"{scope} – {meaning}" if (meaning := describe_scope(scope)) else scope


def _form_for_own_tokens(user, form_class):
    """Return the form class with one more rule: a token acts for the user who makes it."""

    class OwnTokenForm(form_class):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            if "user" in self.fields:
                field = self.fields["user"]
                field.error_messages["invalid_choice"] = field.help_text = ONLY_OWN
                field.queryset, field.empty_label = field.queryset.filter(pk=user.pk), None
                field.widget = forms.Select(choices=field.choices)

    return OwnTokenForm
