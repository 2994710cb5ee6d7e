"""Export of what a list shows, as CSV or JSON, streamed at any size."""

import csv
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin, IncorrectLookupParameters
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import OperationalError, router, transaction
from django.db.models import QuerySet
from django.db.models.query import ValuesListIterable
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from opsdb.database.timeouts import TooSlowError
from opsdb.errors import REFUSED
from opsdb.filters.paging import TOO_SLOW, seconds_given
from opsdb.loaders import export
from opsdb.models.natural_keys import natural_key_lookups

from .importing import kinds_for

ROWS_AT_ONCE = 2_000
BYTES_AT_ONCE = 65_536
EXPORTED = "opsdb_exported_"
SECRETS = {"password", "token_hash"}
# What spreadsheet programs may take for a formula (OWASP, CSV injection).
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def export_columns(model_admin: BaseModelAdmin, request: HttpRequest) -> dict[str, tuple[str, ...]]:
    """Return the columns of an export for a person, and the lookups that each is read by.

    Every field that a person may see is a column of its name; what is linked many times is left out. A reference is
    ``…_id``, its key, and, where rows of its kind have a natural key, a column of the field's name, the parts of
    that key joined by `` / ``. What the admin exports beside the fields comes last.
    """
    columns = {}
    for name, field in model_admin.model_fields.items():
        if field.many_to_many or name in SECRETS:
            continue
        if not field.is_relation:
            columns[name] = (name,)
            continue
        columns[field.attname] = (field.attname,)
        if lookups := _natural_key_of(field.related_model):
            columns[name] = tuple(f"{name}__{lookup}" for lookup in lookups)
    return columns | {name: (f"{EXPORTED}{name}",) for name in model_admin.exported(request)}


def _natural_key_of(model):
    if getattr(model, "natural_key_fields", None):
        return natural_key_lookups(model)
    try:
        return [model._meta.get_field(model.USERNAME_FIELD).name]
    except (AttributeError, FieldDoesNotExist):
        return []


def rows_of(queryset: QuerySet, columns: dict[str, tuple[str, ...]]) -> Iterator[list]:
    """Yield a list of values for every row, by a cursor that the server keeps, in one snapshot."""
    lookups = [lookup for parts in columns.values() for lookup in parts]
    # Outside a transaction the server would first write the whole answer down. Within one a pooler leaves the session
    # to it, so that the cursor is right where DISABLE_SERVER_SIDE_CURSORS keeps QuerySet.iterator() from having one.
    with transaction.atomic(using=queryset.db):
        found = queryset.values_list(*lookups)
        for values in ValuesListIterable(found, chunked_fetch=True, chunk_size=ROWS_AT_ONCE):
            values = iter(values)
            yield [_joined([next(values) for _part in parts]) for parts in columns.values()]


def _joined(parts):
    if len(parts) == 1:
        return parts[0]
    return None if all(part is None for part in parts) else " / ".join(map(str, parts))


def as_csv(columns: Iterable[str], rows: Iterable[list]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180, UTF-8), the names of the columns first."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


class _Echo:
    def write(self, text):
        return text


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_BEGINNINGS) else value
    return _in_words(value) if not isinstance(value, int | float | Decimal) or isinstance(value, bool) else value


def _in_words(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | UUID):
        return str(value)
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def as_json(columns: Iterable[str], rows: Iterable[list]) -> Iterator[str]:
    """Yield the parts of a JSON list of objects, one row a line."""
    beginning = "[\n"
    for row in rows:
        yield beginning + json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=_in_words)
        beginning = ",\n"
    yield "[]\n" if beginning == "[\n" else "\n]\n"


def as_loaded(queryset: QuerySet, kind: Any) -> BinaryIO:
    """Return an open file of a kind that loads again without a change: planning tables, not those that grow."""
    rows = kind.model._default_manager.filter(pk__in=queryset.order_by().values("pk")).order_by("pk")
    file = TextIOWrapper(TemporaryFile(), encoding="utf-8", newline="")  # noqa: SIM115 - the response closes it
    export(kind.name, rows, file)
    binary = file.detach()
    binary.seek(0)
    return binary


async def in_parts(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the content of a response in parts, read in the thread that has the connections of the request."""
    while part := await sync_to_async(_next_part)(content):
        yield part


def _next_part(content):
    lines, size = [], 0
    for line in content:
        lines.append(line)
        size += len(line)
        if size >= BYTES_AT_ONCE:
            break
    return b"".join(lines)


FORMATS = {"csv": ("text/csv; charset=utf-8", as_csv), "json": ("application/json", as_json)}


class ExportMixin:
    """Mixin of an admin: what its list shows can be downloaded."""

    def exported(self, request: HttpRequest) -> dict[str, Any]:
        """Return what is exported beside the fields: names of columns, and the expressions that they are read by.

        Only what the person may see.
        """
        return {}

    def export_urls(self) -> list[tuple]:
        return [("export/<str:form>/", self.export_view, "export")]

    def export_links(self, request: HttpRequest) -> list[tuple]:
        """Labels and addresses of the exports of the list as it is filtered now."""
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        labels = {"csv": _("Export CSV"), "json": _("Export JSON")}
        labels |= {kind.name: gettext("Export for opsdb_load %s") % kind.name for kind in kinds_for(self.model)}
        return [(label, self.page_url("export", form) + query) for form, label in labels.items()]

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """Stream the rows of the list that the same query would show, all pages of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kinds = {kind.name: kind for kind in kinds_for(self.model)}
        if form not in FORMATS and form not in kinds:
            raise Http404
        try:
            # Asks for a first page, and so finds what the database can't compare before the first byte is sent.
            queryset = self.get_changelist_instance(request).queryset
        except (IncorrectLookupParameters, *REFUSED):
            self.message_user(request, gettext("These filters can't be read; nothing was exported."), messages.ERROR)
            return HttpResponseRedirect(self.page_url("changelist"))
        except (TooSlowError, OperationalError) as error:
            if (seconds := seconds_given(error)) is None:
                raise
            self.message_user(request, TOO_SLOW % {"seconds": seconds}, messages.ERROR)
            return HttpResponseRedirect(self.page_url("changelist"))
        if self.big:
            queryset = queryset.order_by("pk")
        if form in kinds:
            response = FileResponse(as_loaded(queryset, kinds[form]), content_type=FORMATS["csv"][0])
        else:
            columns, (content_type, write) = export_columns(self, request), FORMATS[form]
            beside = {f"{EXPORTED}{name}": expression for name, expression in self.exported(request).items()}
            found = queryset.using(router.db_for_read(self.model)).select_related(None).annotate(**beside)
            rows = rows_of(found, columns)
            response = StreamingHttpResponse(write(list(columns), rows), content_type=content_type)
        if isinstance(request, ASGIRequest):  # whose handler would read an ordinary iterator whole before it sends it
            response.streaming_content = in_parts(response.streaming_content)
        name = f"{self.opts.model_name}_{timezone.now():%Y-%m-%dT%H%M}.{form if form in FORMATS else 'csv'}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response
