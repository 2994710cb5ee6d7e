"""Links to *Why?*."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.row_labels import row_label

from .viewer import Viewer

LATER_STEP_FAILED = lazy("a later step failed; see “Why?”")


def why_link(viewer: Viewer, name: str) -> SafeString | str:
    """Return the link to why a row, named by table and key, is where it is."""
    url = viewer.page_url("why", q=name)
    return "–" if url is None else link_to_why(url, name)


def link_to_why(url: str, name: str) -> SafeString:
    """Return a link with an address of *Why?* that asks for a row, named by table and key."""
    return format_html(
        '<a href="{}" aria-label="{}">{}</a>', url, _("Why %(name)s?") % {"name": row_label(name)}, _("Why?")
    )
