"""The column of a list that leads to the page on each row."""

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from .names import called


class PageLink:
    """Mixin of an admin whose lists lead to the page on each row.

    Attributes:
        page_of: the model whose admin has the page, and the name of the page.
    """

    page_of: tuple[type[Model], str]

    @admin.display(description=lazy("more"))
    def page(self, row: Model) -> SafeString | str:
        """The link to all about the row."""
        model, name = self.page_of
        if not self.admin_site.is_registered(model):
            return self.get_empty_value_display()
        viewname = f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"
        url = reverse(viewname, args=[row.pk], current_app=self.admin_site.name)
        return format_html(
            '<a href="{}" aria-label="{}">{}</a>', url, _("All about %s") % called(row), _("All about it")
        )
