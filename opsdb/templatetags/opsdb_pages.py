"""The dashboard, the lists in groups, and links to the pages, for the admin's templates."""

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from opsdb.admins import menu
from opsdb.admins.kit.any_import import any_import_url
from opsdb.admins.kit.narrowing import notes_of
from opsdb.admins.pages import dashboard
from opsdb.admins.pages.viewer import viewer_of
from opsdb.models.base import first_paragraph

register = template.Library()


@register.inclusion_tag("admin/opsdb/dashboard.html", takes_context=True)
def opsdb_dashboard(context):
    """Show the dashboard, as far as the person may see it; nothing where they may see nothing."""
    viewer = viewer_of(context["request"])
    return dashboard.context_of(viewer) if viewer and "dashboard" in viewer.pages else {}


@register.inclusion_tag("admin/opsdb/search_box.html", takes_context=True)
def opsdb_search_box(context):
    """Show the search box to who may see anything that it finds."""
    request = context.get("request")
    viewer = viewer_of(request) if request else None
    return {"url": viewer.page_url("search") if viewer else None}


@register.inclusion_tag("admin/opsdb/import_control.html", takes_context=True)
def opsdb_import_control(context):
    """Show the control that imports a file to who may import any."""
    request = context.get("request")
    viewer = viewer_of(request) if request else None
    return {"url": any_import_url(viewer.site, request) if viewer else None}


@register.simple_tag(takes_context=True)
def opsdb_groups(context, app):
    """Return the lists of ops-db in groups; none of another app."""
    if app["app_label"] != menu.APP_LABEL:
        return []
    groups = menu.grouped(app, context["request"].path)
    if viewer := viewer_of(context["request"]):
        for entry in (entry for group in groups for entry in group["models"]):
            entry["import_url"] = menu.import_url(viewer.site, entry["model"], context["request"])
    return groups


@register.inclusion_tag("admin/opsdb/page_links.html", takes_context=True)
def opsdb_list_links(context):
    """Link a list to the pages that belong to it."""
    viewer = viewer_of(context["request"])
    return {"links": viewer.links_of_list(context["cl"].model) if viewer and not context.get("is_popup") else ()}


@register.simple_tag(takes_context=True)
def opsdb_lists_within(context):
    """Return the lists that belong to a list, of its subtypes and parts, as far as the person may see them."""
    viewer = viewer_of(context["request"])
    if viewer is None or context.get("is_popup"):
        return []
    models = menu.lists_within(context["cl"].model, viewer.site._registry)
    return [
        {"title": model._meta.verbose_name_plural, "url": viewer.list_url(model)}
        for model in models
        if viewer.sees(model)
    ]


@register.inclusion_tag("admin/opsdb/about_list.html", takes_context=True)
def opsdb_about_list(context):
    """Explain what a list has, and what its columns mean."""
    changes = context["cl"]
    viewer, trend = viewer_of(context["request"]), getattr(changes.model_admin, "trend", None)
    url = viewer.page_url("trends") if viewer and trend else None
    return {
        "about": first_paragraph(changes.model.__doc__ or ""),
        "columns": changes.model_admin.about_columns(context["request"]),
        "trend": {"url": f"{url}#{trend[0]}", "title": trend[1]} if url else None,
        "everywhere": viewer.page_url("search", q=changes.query) if viewer and changes.query else None,
        "query": changes.query,
        "notes": list(notes_of(changes)),
        "nothing": _what_to_try(changes) if changes.query and not changes.result_list else "",
    }


def _what_to_try(changes):
    return getattr(changes.model_admin, "when_nothing_is_found", "")


@register.inclusion_tag("admin/opsdb/page_links.html", takes_context=True)
def opsdb_row_links(context):
    """Link a row to the pages with more about it."""
    viewer = viewer_of(context["request"])
    # A hand-made "save as new" of a row leaves the form without one.
    row = None if context.get("is_popup") else context.get("original")
    return {"links": viewer.links_of_row(row) if viewer and row is not None else ()}


@register.inclusion_tag("admin/opsdb/page_links.html", takes_context=True)
def opsdb_form_links(context):
    """Link the form of a new row to the page about its table."""
    viewer = viewer_of(context["request"])
    return {"links": viewer.links_of_table(context["opts"].model) if viewer else ()}


@register.filter
def opsdb_label(field: BoundField) -> SafeString:
    """Return the label of a field, which shows whether it is required: screen readers have that from the control."""
    if not field.field.required:
        return field.label_tag()
    text = "" if field.label[-1:] in ":?.!" else field.form.label_suffix
    word = format_html('<span class="opsdb-required" aria-hidden="true">{}</span>', _("required"))
    label = format_html("{}{} {}", field.label, text, word)
    return field.label_tag(label, attrs={"class": "required"}, label_suffix="")
