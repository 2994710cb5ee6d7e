"""The addresses of the admin's pages that answer, for measuring them on a database of any size."""

from urllib.parse import urlencode

from django.urls import reverse

from opsdb.admins.pages.dashboard import night_of
from opsdb.models import DataTransfer, ExecutedObsUnit, RawDataPackage


def addresses() -> dict[str, str]:
    """Return the address of every page by name; those on a row are on the newest there is."""
    urls = {
        "index": reverse("admin:index"),
        "dashboard": f"{_page('rawdatapackage_dashboard')}?fragment=1",
        "sky": _page("source_sky"),
        "data flow": _page("datatransferroute_dataflow"),
    }
    if execution := ExecutedObsUnit.objects.latest_first().first():
        urls["observation"] = _page("executedobsunit_observation", execution.pk)
        urls["night"] = _page("executedobsunit_night", night_of(execution.start_time))
    newest = (model.objects.order_by("-pk").first() for model in (RawDataPackage, DataTransfer))
    for row in filter(None, newest):
        query = urlencode({"q": f"{row._meta.db_table} {row.pk}"})
        urls[f"why, {row._meta.verbose_name}"] = f"{_page('rawdatapackage_why')}?{query}"
        if isinstance(row, RawDataPackage):
            urls["where"] = f"{_page('physicalcopy_where')}?{query}"
    return urls


def _page(name, *args):
    return reverse(f"admin:opsdb_{name}", args=args)
