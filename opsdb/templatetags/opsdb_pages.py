"""The dashboard, and links to the pages, for the admin's templates."""

from django import template

from opsdb.admins.pages import dashboard
from opsdb.admins.pages.viewer import viewer_of

register = template.Library()


@register.inclusion_tag("admin/opsdb/dashboard.html", takes_context=True)
def opsdb_dashboard(context):
    """Show how things stand, as far as the person may see it; nothing where they may see nothing."""
    viewer = viewer_of(context["request"])
    return dashboard.context_of(viewer) if viewer and "dashboard" in viewer.pages else {}


@register.inclusion_tag("admin/opsdb/page_links.html", takes_context=True)
def opsdb_list_links(context):
    """Link a list to the pages that belong to it."""
    viewer = viewer_of(context["request"])
    return {"links": viewer.links_of_list(context["cl"].model) if viewer and not context.get("is_popup") else ()}


@register.inclusion_tag("admin/opsdb/page_links.html", takes_context=True)
def opsdb_row_links(context):
    """Link a row to the pages that say more about it."""
    viewer = viewer_of(context["request"])
    # A hand-made "save as new" of a row leaves the form without one.
    row = None if context.get("is_popup") else context.get("original")
    return {"links": viewer.links_of_row(row) if viewer and row is not None else ()}
