"""Who may do what."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from opsdb.models import ApiToken, Role, User

from .actions.access import TOKEN_ACTIONS
from .kit.admin import OpsAdmin


class UserAdmin(OpsAdmin, DjangoUserAdmin):
    form = DjangoUserAdmin.form
    list_display = ("username", "first_name", "last_name", "email", "affiliation", "is_staff", "is_active")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email", "github_login")
    fieldsets = (
        *DjangoUserAdmin.fieldsets[:1],
        (None, {"fields": ("first_name", "last_name", "email", "affiliation", "github_login")}),
        *DjangoUserAdmin.fieldsets[2:],
        (gettext_lazy("Other"), {"fields": ("preferences",)}),
    )
    filter_horizontal = ("user_permissions",)


# A host project that brings its own users brings their admin too.
if get_user_model() is User:
    admin.site.register(User, UserAdmin)


class GroupAdmin(OpsAdmin, DjangoGroupAdmin):
    """Django's own answers a search for a text with a zero byte with a server error."""

    list_display = ("name",)


if type(admin.site.get_model_admin(Group)) is DjangoGroupAdmin:
    admin.site.unregister(Group)
    admin.site.register(Group, GroupAdmin)


@admin.register(Role)
class RoleAdmin(OpsAdmin, DjangoGroupAdmin):
    list_display = ("name", "description", "builtin")


@admin.register(ApiToken)
class ApiTokenAdmin(OpsAdmin):
    hidden = ("token_hash",)
    owned = ("token_prefix", "revoked_at", "revoked_by")
    list_display = ("name", "user", "token_prefix", "active", "expires_at", "usage_count", "last_used_at")
    list_filter = ("active", "user")
    search_fields = ("name", "token_prefix__startswith", "user__username")

    actions = TOKEN_ACTIONS

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ModelForm, change: bool) -> None:
        """Make a new token with a secret, which lives no longer than the answer to this request."""
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
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/opsdb/new_token.html", context)
