"""What the admin's pages cost as the tables grow: ``python -m benchmarks.admin``.

Each page of the admin is asked for several times in both databases of ``benchmarks.filling``, and of the exports of the
biggest lists the first rows. No page should take more than 500 ms, nor twice as long in the large database as in the
small one; else the program ends with 1. A location with fewer copies than its page looks at, and an export of fewer
rows than are measured, is no measure for a full one, and is left out of the small database.
"""

import statistics
import sys
import time
from itertools import islice

from benchmarks.filling import WANTED_RATIO, WANTED_SECONDS, measured_in_both

EXPORTED_ROWS = 1_000


def searches(row, page):
    """Yield what people would paste to find a row in its list: a name for it, and the text."""
    fields = page.get_search_fields(None)
    if "id" in fields:
        yield "id", str(row.pk)
        if "-" in str(row.pk):
            yield "beginning of id", str(row.pk)[:13]
    for name in fields:
        name, _lookups, lookup = name.partition("__")
        value = getattr(row, f"{name}_id", None) if lookup != "startswith" else getattr(row, name, None)
        if value and isinstance(value, str) and lookup == "startswith":
            yield f"beginning of {name}", value[:-3]
        elif value and lookup != "startswith":
            yield name, str(value)
    if page.finders and hasattr(row, "checksum"):
        yield "checksum", row.checksum
        yield "beginning of checksum", row.checksum[:10]
    if row._meta.model_name == "rawdatafile":
        yield "path", row.relative_path
        yield "folder", row.relative_path.rsplit("/", 1)[0] + "/"
        yield "file name", row.relative_path.rsplit("/", 1)[1]
        yield "nothing", "no/such/file.fits"


def filters(row, listed):
    """Yield the filters of a list: a name, and the address for an old row and for every choice."""
    from opsdb.admins.kit.filters import RelatedFilter

    for spec in listed.filter_specs:
        if isinstance(spec, RelatedFilter):
            value = getattr(row, f"{spec.field_path}_id", None)
            if value is not None:
                yield spec.field_path, f"?{spec.parameter}={value}"
        else:
            _everything, *choices = spec.choices(listed)
            for choice in choices:
                yield f"{spec.title} {choice['display']}", choice["query_string"]


def pages_that_answer():
    """Return the index and the pages that are of no single model by name; those of a row are of the newest there is."""
    from django.urls import reverse

    from opsdb.admins.pages.executions import night_of
    from opsdb.models import (
        DataLocation,
        DataTransfer,
        ExecutedObsUnit,
        ObservingProgram,
        ObsUnit,
        RawDataFile,
        RawDataPackage,
        Source,
    )
    from opsdb.workflows.location_stock import OLDEST
    from tests.admins.answers.pages import page

    execution = ExecutedObsUnit.objects.latest_first().first()
    # The newest can be the one that the others were made like.
    package, transfer, file = (
        model.objects.order_by("-pk")[1] for model in (RawDataPackage, DataTransfer, RawDataFile)
    )
    texts = {
        "a package": f"raw_data_package {package.pk}",
        "a name": file.relative_path.rsplit("/", 1)[1],
        "the middle of a path": file.relative_path[len(file.relative_path) // 3 : -6],
        "a checksum": file.checksum,
        "a night": str(night_of(execution.start_time)),
        "coordinates": "12:30:00 +12:23:28",
        "nothing": "no-such-name",
    }
    with_page = {"source": Source, "program": ObservingProgram, "unit": ObsUnit}
    return {
        "index": reverse("admin:index"),
        "dashboard": page("dashboard", fragment=1),
        "failures": page("failures"),
        "trends": page("trends"),
        "sky": page("sky"),
        "data flow": page("dataflow"),
        "observation": page("observation", execution.pk),
        "night": page("night", night_of(execution.start_time)),
        "where": page("where", q=texts["a package"]),
        "why, raw data package": page("why", q=texts["a package"]),
        "why, data transfer": page("why", q=f"data_transfer {transfer.pk}"),
        **{name: page(name, model.objects.order_by("pk").first().pk) for name, model in with_page.items()},
        **{
            f"location {number}": page("location", one.pk)
            for number, one in enumerate(DataLocation.objects.order_by("pk")[:20], 1)
            if one.copies.existing()[:OLDEST].count() in (0, OLDEST)
        },
        **{f"search for {name}": page("search", q=text) for name, text in texts.items()},
    }


def exports():
    """Return the exports of the biggest lists by name."""
    from django.urls import reverse

    from opsdb.models import ChangeLog, DataTransfer, PhysicalCopy, RawDataFile, RawDataPackage

    names = [model._meta.model_name for model in (RawDataFile, PhysicalCopy, RawDataPackage, DataTransfer, ChangeLog)]
    return {f"{name}: export": reverse(f"admin:opsdb_{name}_export", args=["csv"]) for name in names}


def addresses():
    """Return the pages that are asked for by name."""
    from urllib.parse import quote_plus

    from django.contrib import admin
    from django.contrib.admin.utils import quote
    from django.contrib.auth import get_user_model
    from django.test import RequestFactory
    from django.urls import reverse

    request = RequestFactory().get("/")
    request.user = get_user_model().objects.get(username="benchmark")
    pages = pages_that_answer() | exports()
    for model, page in admin.site._registry.items():
        if model._meta.app_label != "opsdb":
            continue
        name, rows = model._meta.model_name, model._default_manager.order_by("pk")
        url = reverse(f"admin:opsdb_{name}_changelist")
        pages[f"{name}: first page"] = url
        first = rows.first()
        if first is None:
            continue
        last = rows.last()
        pages[f"{name}: detail"] = reverse(f"admin:opsdb_{name}_change", args=[quote(last.pk)])
        if not page.big:
            continue
        pages[f"{name}: last page"] = f"{url}?p=last"
        pages[f"{name}: detail of the oldest"] = reverse(f"admin:opsdb_{name}_change", args=[quote(first.pk)])
        for label, query in filters(first, page.get_changelist_instance(request)):
            pages[f"{name}: filtered by {label}"] = url + query
        # The rows that were multiplied, not the one they are like.
        row = rows[rows[:200].count() // 2]
        for label, text in searches(row, page):
            pages[f"{name}: searched for {label}"] = f"{url}?q={quote_plus(text)}"
    return pages


def seconds_of(browser, url, repeats):
    """Return the median of several times that a page takes, after a first that fills the caches.

    None if it is an export of fewer rows than are measured.
    """
    taken = []
    for turn in range(repeats + 1):
        begun = time.perf_counter()
        response = browser.get(url, secure=True, follow=True)
        if response.streaming:
            rows = sum(1 for _row in islice(response, EXPORTED_ROWS))
            response.close()
            if rows < EXPORTED_ROWS:
                return None
        took = time.perf_counter() - begun
        if response.status_code != 200 or any("e=1" in address for address, _status in response.redirect_chain):
            sys.exit(f"{url}: {response.status_code} {response.redirect_chain}")
        if response.redirect_chain and "q=" in url and "/search/" not in url:
            took = max(took, WANTED_SECONDS * 10)  # given up
        if turn:
            taken.append(took)
    return statistics.median(taken)


def measure(files, options):
    """Return the seconds that each page takes."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    browser = Client(headers={"host": "localhost"})
    browser.force_login(get_user_model().objects.get(username="benchmark"))
    pages = {label: url for label, url in addresses().items() if options.only in label}
    found = {label: seconds_of(browser, url, options.repeats) for label, url in pages.items()}
    return {label: seconds for label, seconds in found.items() if seconds is not None}


def add_options(parser):
    parser.add_argument("--only", default="", help="only pages whose name holds this")


def main():
    options, few, many = measured_in_both(__doc__, measure, repeats=5, add_options=add_options)
    print(f"{'milliseconds':<70} {options.files[0]:>12,} {options.files[1]:>12,}  ratio")
    missed = 0
    for label in many:
        ratio = many[label] / few[label] if label in few else float("nan")
        bad = ratio > WANTED_RATIO or many[label] > WANTED_SECONDS
        missed += bad
        shown = f"{1000 * few[label]:>12.0f}" if label in few else f"{'-':>12}"
        print(f"{label:<70} {shown} {1000 * many[label]:>12.0f}  {ratio:5.2f}{'  !' if bad else ''}")
    print(f"{missed} of {len(many)} pages take above {1000 * WANTED_SECONDS:.0f} ms or {WANTED_RATIO:g} times as long")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
