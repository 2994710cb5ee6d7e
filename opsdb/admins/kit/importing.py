"""Import of planning files by the loaders: upload, look at the plan, apply exactly that.

Nothing is kept on the server in between: the file travels with the page, signed together with the plan that was shown,
so that what is applied is what was looked at, whichever server answers.
"""

from io import BytesIO
from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from opsdb.loaders import CREATE, LEAVE, ON_CONFLICT, UPDATE, LoadError, kinds, prepare
from opsdb.workflows import attributed

from ..pages.viewer import Viewer
from .orders import OrderForm

MAX_UPLOAD_BYTES = 10 * 1024**2
PREVIEW_SECONDS = 3_600
STEPS_SHOWN = 50
FORM_BYTES_SPARE = 20_000
SIGNED = "opsdb_signed"
CONFLICTS = {
    "error": _("Refuse the file"),
    "skip": _("Leave the row as it is"),
    "update": _("Change the row"),
}
WORDS = {"create": _("create"), "update": _("change"), "leave": _("leave as it is"), "skip": _("skip")}


def kinds_for(model: type[Model]) -> list:
    """Return the kinds of files that bring rows of a model."""
    return [kind for kind in kinds().values() if getattr(kind, "model", None) in (model, *model._meta.all_parents)]


class FileForm(forms.Form):
    """The file.

    Attributes:
        command: what loads a file that is too large for a form.
    """

    command = "opsdb_load"
    file = forms.FileField(label=_("File"), help_text=_("At most %s.") % filesizeformat(MAX_UPLOAD_BYTES))

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD_BYTES:
            raise ValidationError(
                gettext("It has %(size)s; load larger files by manage.py %(command)s.")
                % {"size": filesizeformat(file.size), "command": self.command}
            )
        return file


class ImportForm(FileForm):
    """The file, and the options of its kind."""

    on_conflict = forms.ChoiceField(
        label=_("A row that is there with other facts"), choices=[(name, CONFLICTS[name]) for name in ON_CONFLICT]
    )

    def __init__(self, kind: Any, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.command = f"opsdb_load {kind.name}"
        for option in kind.options:
            self.fields[option.name] = _field_of(option)
        # The last, because choosing one asks for the preview.
        self.fields["file"] = self.fields.pop("file")

    @classmethod
    def with_defaults(cls, kind: Any, file: UploadedFile) -> "ImportForm":
        """Return the form of a kind as it is sent when all options are left as they are."""
        options = {option.name: option.how.get("default") or "" for option in kind.options}
        return cls(kind, {"on_conflict": ON_CONFLICT[0], **options}, {"file": file})

    def options(self) -> dict:
        """The options as the loader takes them; an empty text is none."""
        return {name: value or None for name, value in self.cleaned_data.items() if name != "file"}


def _field_of(option):
    how = option.how
    label, about = capfirst(option.name.replace("_", " ")), capfirst(how.get("help", ""))
    if how.get("action") == "store_true":
        return forms.BooleanField(label=label, help_text=about, required=False)
    common = {
        "label": label,
        "help_text": about,
        "required": bool(how.get("required")),
        "initial": how.get("default"),
    }
    if choices := how.get("choices"):
        named = [(one, one) for one in choices]
        return forms.ChoiceField(**common, choices=named if common["required"] else [("", "–"), *named])
    return forms.CharField(**common, max_length=200)


class TooLargeError(Exception):
    """The file does not fit into a form."""


def signed(user: Any, kind: Any, name: str, content: bytes, options: dict[str, Any], plan: Any) -> str:
    """Return an upload and the plan that was shown of it, as a text that can't be changed.

    Raises:
        TooLargeError: the text is longer than a form may be.
    """
    facts = {
        "user": str(user.pk),
        "kind": kind.name,
        "name": name,
        "text": content.decode("utf-8", "surrogateescape"),
        "options": options,
        "plan": plan.digest.hexdigest(),
    }
    text = _signer().sign_object(facts, compress=True)
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if most is not None and len(text) > most - FORM_BYTES_SPARE:
        raise TooLargeError
    return text


def _signer():
    return TimestampSigner(salt="opsdb.admins.importing")


def _upload(name, content):
    file = BytesIO(content)
    file.name = name
    return file


class ImportMixin:
    """Mixin of an admin: files of planning rows can be uploaded where there is a loader."""

    def import_urls(self) -> list[tuple]:
        return [("import/<str:kind>/", self.import_view, "import")]

    def import_links(self, request: HttpRequest) -> list[tuple]:
        """Labels and addresses of the imports that this user may do."""
        if not self.has_add_permission(request):
            return []
        return [
            (gettext("Import %s") % kind.name, self.page_url("import", kind.name)) for kind in kinds_for(self.model)
        ]

    def import_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Take a file, show what loading it would do, and do it once that is confirmed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        found = next((one for one in kinds_for(self.model) if one.name == kind), None)
        if found is None:
            raise Http404
        return FileImport(self, request, found).answer()


class FileImport:
    """One step of an import: the empty form, the preview, or the load.

    Args:
        model_admin: the admin of the rows.
        request: of the person.
        kind: of the file.
        recognized: whether the kind was recognized from the content rather than chosen.
    """

    def __init__(self, model_admin: BaseModelAdmin, request: HttpRequest, kind: Any, *, recognized: bool = False):
        self.model_admin, self.request, self.kind, self.recognized = model_admin, request, kind, recognized
        self.form = ImportForm(kind)
        self.sees = Viewer(request, model_admin.admin_site).sees
        self.reason = OrderForm()

    def answer(self) -> HttpResponse:
        if self.request.method != "POST":
            return self._page()
        if SIGNED in self.request.POST:
            return self._apply()
        return self._answer_form(ImportForm(self.kind, self.request.POST, self.request.FILES))

    def answer_file(self, file: UploadedFile) -> HttpResponse:
        """Show what loading a file would do with the options as they are."""
        return self._answer_form(ImportForm.with_defaults(self.kind, file))

    def _answer_form(self, form):
        self.form = form
        if not form.is_valid():
            return self._page()
        file = form.cleaned_data["file"]
        file.seek(0)
        return self._preview(file.name, file.read(), form.options())

    def _preview(self, name, content, options, notice=""):
        try:
            plan = prepare(self.kind.name, [_upload(name, content)], sees=self.sees, **options)
            text = signed(self.request.user, self.kind, name, content, options, plan)
        except LoadError as error:
            return self._page(problems=error)
        except TooLargeError:
            self.form.add_error(
                "file", gettext("It is too large for a form; load it by manage.py opsdb_load %s.") % self.kind.name
            )
            return self._page()
        return self._page(plan=plan, text=text, name=name, notice=notice, lacking=self._lacking(plan))

    def _lacking(self, plan) -> list[str]:
        """Return what the plan does and this user may not."""
        named = {model._meta.verbose_name: model for model in apps.get_app_config("opsdb").get_models()}
        wanted = {(what, named[name]) for what, name in plan.totals if what in (CREATE, UPDATE)}
        may = self.request.user.has_perm
        return sorted(
            f"{WORDS[what]} {model._meta.verbose_name_plural}"
            for what, model in wanted
            if not may(f"opsdb.{'add' if what == CREATE else 'change'}_{model._meta.model_name}")
        )

    def _apply(self):
        request = self.request
        try:
            facts = _signer().unsign_object(request.POST[SIGNED], max_age=PREVIEW_SECONDS)
        except SignatureExpired:
            return self._page(notice=gettext("The preview is too old; upload the file again."))
        except (BadSignature, ValueError):
            return self._page(notice=gettext("The upload was changed on its way; upload the file again."))
        if (facts["user"], facts["kind"]) != (str(request.user.pk), self.kind.name):
            return self._page(notice=gettext("The preview was somebody else's; upload the file yourself."))
        name, content, options = facts["name"], facts["text"].encode("utf-8", "surrogateescape"), facts["options"]
        self.reason = OrderForm(request.POST)
        if not self.reason.is_valid():
            return self._preview(name, content, options)
        try:
            plan = prepare(self.kind.name, [_upload(name, content)], sees=self.sees, **options)
            if plan.digest.hexdigest() != facts["plan"]:
                changed = gettext("Something has changed since you looked, so nothing was loaded. Look again.")
                return self._preview(name, content, options, changed)
            if self._lacking(plan):
                raise PermissionDenied
            reason = f"{name}: {self.reason.cleaned_data['reason']}"
            with attributed(user=request.user, reason=reason):
                plan = plan.apply()
        except LoadError as error:
            return self._page(problems=error)
        text = gettext(
            "Loaded %(name)s: %(made)s made, %(changed)s changed, %(left)s as they were, %(skipped)s skipped."
        )
        text %= {
            "name": name,
            "made": plan.counted("create"),
            "changed": plan.counted("update"),
            "left": plan.counted("leave"),
            "skipped": plan.counted("skip"),
        }
        self.model_admin.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(self.model_admin.page_url("changelist"))

    def _steps(self, plan):
        """Return what happens to the first rows, and the names of the facts that a table shows of each."""
        steps = [step for step in plan.steps if step.what != LEAVE][:STEPS_SHOWN] if plan else []
        columns = dict.fromkeys(name for step in steps for name, _value in step.facts)
        rows = [
            (step, WORDS[step.what], [(name, dict(step.facts).get(name, "–")) for name in columns]) for step in steps
        ]
        return {"steps": rows, "fact_columns": list(columns), "has_reasons": any(step.why for step in steps)}

    def _page(self, plan=None, text="", name="", problems=None, notice="", lacking=()):
        admin = self.model_admin
        # The page may be the answer at another address, which has recognized the kind.
        self.request.path = action = admin.page_url("import", self.kind.name)
        context = {
            **admin.admin_site.each_context(self.request),
            "title": gettext("Import %s") % self.kind.name,
            "subtitle": None,
            "opts": admin.opts,
            "media": admin.media,
            "kind": self.kind,
            "action": action,
            "any_kind_url": admin.page_url("import_any") if self.recognized else None,
            "columns": getattr(self.kind, "columns", ()),
            "form": self.form,
            "reason": self.reason,
            "plan": plan,
            "totals": [(WORDS[what], model, number) for (what, model), number in plan.totals.items()] if plan else [],
            **self._steps(plan),
            "steps_shown": STEPS_SHOWN,
            "signed": text,
            "signed_name": SIGNED,
            "name": name,
            "problems": problems,
            "notice": notice,
            "lacking": lacking,
        }
        self.request.current_app = admin.admin_site.name
        return TemplateResponse(self.request, "admin/opsdb/import.html", context)
