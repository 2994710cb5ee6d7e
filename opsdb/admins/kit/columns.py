"""How values look to people, in lists and in the read-only lines of forms."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin.options import BaseModelAdmin
from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Field, Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opsdb.database.labels import spoken, unit_of
from opsdb.formatting import format_exact_duration, format_second, format_size
from opsdb.models.enums import StateChoices
from opsdb.models.meanings import enumeration_of, meanings_of

from .counting import grouped
from .links import link, list_url
from .names import named, naming_of
from .time_zones import ZONE
from .values import Text

TIMES_OF_THE_NIGHT = ("start_time", "end_time", "observed_at")
"""Times whose local time is shown below them in lists, too."""
CHECKSUMS = ("checksum", "expected", "actual", "token_prefix")
SHOWN_LETTERS = 60  # of a text in a list
MANY_SHOWN = 20  # linked rows that a read-only line names before it leads to their list

# What naming a row of a model of Django's own reads beside it.
NEEDED_BY_STR = {Permission: ["content_type"]}

# A field keeps only the choices of the enumeration that it was declared with.
STATES = {tuple(states.values): states for states in StateChoices.__subclasses__()}


class FieldColumn:
    """A field of the model, shown by a function of the kit instead of Django's default."""

    def __init__(self, field: Field, render: Callable[[Model], object], title: Text, sortable: bool):
        self.field = field
        self.render = render
        self.__name__ = field.name
        self.short_description = title
        self.admin_order_field = field.name if sortable else None

    def __call__(self, row):
        return self.render(row)


def states_of(field: Field) -> type[StateChoices] | None:
    """Return the state machine that a field holds a state of, or None."""
    return STATES.get(tuple(value for value, _ in field.flatchoices)) if getattr(field, "choices", None) else None


def column_for(
    field: Field, model_admin: BaseModelAdmin, sortable: bool = True, *, in_form: bool = False
) -> FieldColumn | None:
    """Return the kit's column for a field, or None where Django's own way of showing it is good.

    Args:
        field: of a model.
        model_admin: on whose site what it refers to has pages.
        sortable: whether a list may be sorted by it.
        in_form: whether it is a line of a form, which has room for every local time.
    """
    if field.many_to_many:
        return FieldColumn(field, lambda row: linked_rows(row, field, model_admin), field.verbose_name, sortable=False)
    title, show = _title_and_look(field, model_admin)
    meanings = _meanings_of(field)
    if in_form and meanings:
        show = partial(_with_meaning, field, show, meanings)
    elif field.name == "verification":
        show = partial(_labelled, field, meanings)
    if show is None:
        return None

    with_local = in_form or field.name in TIMES_OF_THE_NIGHT

    def render(row):
        value = getattr(row, field.name)
        if value is not None and isinstance(field, models.DateTimeField):
            return moment(value, getattr(row, ZONE, None), with_local=with_local)
        return model_admin.get_empty_value_display() if value is None or value == "" else show(value)

    return FieldColumn(field, render, title, sortable)


def _meanings_of(field):
    """Return what each choice of a field means, if that is written down."""
    states = enumeration_of(field)
    return {value: meaning.replace("`", "") for value, meaning in meanings_of(states).items()} if states else {}


def _labelled(field, meanings, value):
    """Show a choice, and to the mouse what it means."""
    return format_html('<span title="{}">{}</span>', meanings.get(value, ""), dict(field.flatchoices).get(value, value))


def _with_meaning(field, show, meanings, value):
    """Show a choice, and behind it what it means."""
    shown = show(value) if show else dict(field.flatchoices).get(value, value)
    return format_html('{} <span class="opsdb-means">{}</span>', shown, meanings.get(value, ""))


def name_column(model: type[Model], sorts_by: Callable[[str], bool]) -> FieldColumn | None:
    """Return the column that shows rows as people call them, or None where their own fields do that."""
    naming = naming_of(model)
    if naming is None:
        return None
    field = model._meta.get_field(naming.column)
    return FieldColumn(field, named, model._meta.verbose_name, sortable=sorts_by(field.name))


def _title_and_look(field, model_admin):
    title, unit = field.verbose_name, unit_of(field.name)
    if field.is_relation:
        return title, lambda value: link(value, model_admin)
    if states := states_of(field):
        return title, lambda value: badge(states(value))
    if isinstance(field, models.DateTimeField):
        return gettext_lazy("%(time)s [UTC]") % {"time": title}, moment
    if isinstance(field, models.JSONField):
        return title, document
    if isinstance(field, models.UUIDField) or field.name in CHECKSUMS:
        return title, code
    # The text names its unit itself, so that the title would contradict it.
    if unit == "bytes" or field.name == "bytes_transferred":
        return spoken(field.name), human_size
    if field.name.endswith("failure_message"):
        return title, shortened
    if unit == "seconds":
        return spoken(field.name), human_duration
    if isinstance(field, models.FloatField):
        return title, human_number
    return title, None


def badge(state: StateChoices) -> SafeString:
    """Show a state by icon, colour and text."""
    return format_html(
        '<span class="opsdb-badge opsdb-badge-{}"><span aria-hidden="true">{}</span> {}</span>',
        state.look.colour,
        state.look.icon,
        state.label,
    )


def exactly(text: Text, whole: Text) -> SafeString:
    """Show a text, and to the mouse and to screen readers all that was left out of it."""
    if text == whole:
        return format_html('<span class="opsdb-whole">{}</span>', text)
    return format_html(
        '<span class="opsdb-whole" title="{1}">{0}<span class="visually-hidden"> ({1})</span></span>', text, whole
    )


def shortened(text: str) -> Text:
    """Show the beginning of a long text, and all of it to the mouse and to screen readers."""
    return text if len(text) <= SHOWN_LETTERS else exactly(f"{text[:SHOWN_LETTERS].rstrip()}…", text)


def human_size(size: float) -> SafeString:
    """Show a number of bytes in decimal units, the exact number on hover."""
    whole = _("%(number)s bytes") % {"number": grouped(size)}
    return exactly(format_size(size) if abs(size) >= 999.5 else whole, whole)


def human_duration(seconds: float) -> SafeString:
    """Show a number of seconds in the units of a clock, the exact number on hover."""
    return exactly(format_exact_duration(seconds), f"{seconds:g} s")


def human_number(number: float) -> str:
    """Show a number with four decimals at most, all of them on hover."""
    text = f"{number:.3g}" if 0 < abs(number) < 0.001 else f"{number:.4f}".rstrip("0").rstrip(".")
    return text if float(text) == number else exactly(text, repr(number))


def moment(time: datetime, zone: str | None = None, *, with_local: bool = False) -> SafeString:
    """Show a time in UTC to the second; on hover all of it and, where a zone is given, the local time there.

    Args:
        time: with a time zone.
        zone: IANA name of a time zone.
        with_local: whether the local time is shown below, for everybody.
    """
    time = time.astimezone(UTC)
    if zone and with_local:
        below = time.astimezone(ZoneInfo(zone))
        local = f"{below:%H:%M}" if below.date() == time.date() else f"{below:%Y-%m-%d %H:%M}"
        title = _("%(time)s in %(zone)s") % {"time": f"{below:%Y-%m-%d %H:%M:%S}", "zone": zone}
        text = _("%(time)s local") % {"time": local}
        return format_html('{}<span class="opsdb-local" title="{}">{}</span>', moment(time), title, text)
    whole = time.isoformat().replace("+00:00", "Z")
    if zone:
        local = f"{time.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
        whole = _("%(utc)s, %(local)s in %(zone)s") % {"utc": whole, "local": local, "zone": zone}
    shown = exactly(format_second(time), whole)
    return format_html('<time datetime="{}">{}</time>', time.isoformat().replace("+00:00", "Z"), shown)


def code(value: Any) -> SafeString:
    """Show what is compared digit by digit in letters of equal width, to be copied by a button."""
    return format_html('<code class="opsdb-code" data-copy>{}</code>', value)


def document(value: Any) -> SafeString:
    """Show a JSON document over several lines."""
    return format_html('<pre class="opsdb-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def linked_rows(row: Model, field: Field, model_admin: BaseModelAdmin) -> Text:
    """Show the first rows of a many-to-many field and, when there are more, a link to the list of all."""
    linked = getattr(row, field.name).select_related(*NEEDED_BY_STR.get(field.related_model, [None]))
    rows = list(linked.order_by("pk")[: MANY_SHOWN + 1])
    if not rows:
        return model_admin.get_empty_value_display()
    shown = format_html_join(", ", "{}", ((link(one, model_admin),) for one in rows[:MANY_SHOWN]))
    if len(rows) <= MANY_SHOWN:
        return shown
    url = list_url(field.related_model, {f"{field.related_query_name()}__pk": row.pk}, model_admin)
    more = format_html('<a href="{}">{}</a>', url, _("see all")) if url else _("and more")
    return format_html("{} … {}", shown, more)
