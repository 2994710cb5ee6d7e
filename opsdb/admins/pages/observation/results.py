"""What was made of an observation: products, releases and publications."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from opsdb.database.aliases import read_rows
from opsdb.models import DataProduct, DataRelease, ExecutedObsUnit, Publication
from opsdb.models.publications import PRODUCTS_OF_OBSERVATION

from ...kit.columns import human_size
from ..counts import format_up_to
from ..parts import Section, Table, capped, first_of
from ..viewer import Viewer
from .limits import ROWS_SHOWN

PRODUCTS_LOOKED_AT = 1_000


def result_sections(viewer: Viewer, execution: ExecutedObsUnit) -> Iterator[Section]:
    """Products that were made of it, and the releases and publications of these."""
    if not viewer.sees(DataProduct):
        return
    # The limit ends the recursion, however much was made of a calibration.
    found = read_rows(f"{PRODUCTS_OF_OBSERVATION} LIMIT {PRODUCTS_LOOKED_AT + 1}", [execution.pk])
    keys = sorted(key for (key,) in found)
    more, keys = len(keys) > PRODUCTS_LOOKED_AT, keys[:PRODUCTS_LOOKED_AT]
    products = (
        DataProduct.objects.filter(pk__in=keys).select_related("run__step__pipeline").order_by("-pk")[:ROWS_SHOWN]
    )
    rows = [
        (
            viewer.link(product),
            product.get_type_display(),
            viewer.link(product.run),
            f"{product.run.step.pipeline} / {product.run.step}",
            "–" if product.size_bytes is None else human_size(product.size_bytes),
            _("replaced") if product.superseded_by_id else _("current"),
        )
        for product in products
    ]
    note = ""
    if len(keys) > ROWS_SHOWN:
        number = format_up_to(len(keys) + more, PRODUCTS_LOOKED_AT)
        note = _("The newest %(shown)s of %(number)s are shown.") % {"shown": ROWS_SHOWN, "number": number}
    table = Table(
        _("Products"),
        (_("product"), _("type"), _("run"), _("step"), _("size"), _("state")),
        rows,
        _("Nothing has been made of it yet."),
        note=note,
    )
    yield Section(_("Products"), (table,), "products")
    if viewer.sees(DataRelease, Publication):
        yield _publications_section(viewer, keys, more)


def _publications_section(viewer, products, cut):
    held = DataRelease.products.through.objects.filter(dataproduct__in=products).values("datarelease")
    releases, more_releases = capped(DataRelease.objects.filter(pk__in=held).order_by("-pk"), ROWS_SHOWN)
    direct = Publication.products.through.objects.filter(dataproduct__in=products).values("publication")
    used = Publication.releases.through.objects.filter(datarelease__in=[one.pk for one in releases])
    publications, more = capped(
        Publication.objects.filter(pk__in=direct.union(used.values("publication"))).order_by("-year", "-pk"), ROWS_SHOWN
    )
    rows = [
        *(
            (viewer.link(one), _("publication"), one.year, one.get_status_display(), one.doi or "–")
            for one in publications
        ),
        *(
            (
                viewer.link(one),
                _("release"),
                f"{one.released_at:%Y}" if one.released_at else "–",
                _("public") if one.public else _("not public"),
                one.doi or "–",
            )
            for one in releases
        ),
    ]
    notes = []
    if more or more_releases:
        notes.append(first_of(ROWS_SHOWN))
    if cut:
        notes.append(_("Only those of the first %(number)s products are found.") % {"number": PRODUCTS_LOOKED_AT})
    table = Table(
        _("Releases and publications"),
        (_("title"), _("what"), _("year"), _("state"), _("DOI")),
        rows,
        _("It is in no release and no publication yet."),
        note=" ".join(notes),
    )
    return Section(_("Releases and publications"), (table,), "publications")
