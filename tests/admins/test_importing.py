"""A file of planning rows is looked at first, and what is loaded is what was looked at."""

import pytest
from django.contrib.messages import get_messages
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile

from opsdb.admins.kit import importing
from opsdb.admins.kit.importing import kinds_for
from opsdb.loaders import kinds
from opsdb.models import ChangeLog, FixedSource, RawDataFile, Source, Telescope
from opsdb.testing import factories

from .conftest import logged_in, may_only
from .pages import MODELS, address

URL = f"{address(Source, 'changelist')}import/sources/"
GOOD = b"name,ra,dec,comment\nOrion KL,83.81,-5.37,bright\nSgr A*,266.42,-29.01,\n"


def upload(client, content=GOOD, name="list.csv", **options):
    file = SimpleUploadedFile(name, content)
    return client.post(URL, {"file": file, "on_conflict": "error", **options})


def apply(client, page, reason="proposal 2026B", **changes):
    return client.post(URL, {"opsdb_signed": page.context["signed"], "reason": reason, **changes})


def test_the_plan_is_shown_and_nothing_written(browser, db):
    page = upload(browser)
    html = page.content.decode()
    assert page.context["totals"] == [("create", "fixed source", 2)]
    assert page.context["fact_columns"] == ["RA (ICRS)", "Dec (ICRS)"]
    row = (
        ">2</th>",
        ">create</td>",
        ">fixed source Orion KL</td>",
        ">05:35:14.40 (83.81000°)<",
        ">-05:22:12.0 (-5.37000°)<",
    )
    places = [html.find(part) for part in row]
    assert -1 not in places and places == sorted(places)
    assert not Source.objects.exists()


def test_what_was_shown_is_loaded_for_the_reason_in_the_persons_name(browser, superuser):
    response = apply(browser, upload(browser))
    assert (response.status_code, response.url) == (302, address(Source, "changelist"))
    assert "list.csv: 2 made" in " ".join(map(str, get_messages(response.wsgi_request)))
    change = ChangeLog.objects.of(FixedSource.objects.get(name="Orion KL")).first()
    assert (change.user, change.reason) == (superuser, "list.csv: proposal 2026B")


def test_without_a_reason_nothing_is_loaded(browser, db):
    page = apply(browser, upload(browser), reason=" ")
    assert page.context["reason"].errors
    assert page.context["signed"]
    assert not Source.objects.exists()


def test_every_error_names_its_line_and_column(browser, db):
    page = upload(browser, b"name,ra,dec\nA,400,0\nB,10,-91\n")
    assert [(problem.line, problem.column) for problem in page.context["problems"].problems] == [
        (2, "ra"),
        (3, "dec"),
    ]
    assert "refused, and nothing was written" in page.content.decode()
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"name\n",
        b"name,ra,dec\n" + b"x" * 100_000,
        b"PK\x03\x04",
        b"name,name\na,b\n",
        rb"name,ra,dec,aliases" b"\n" rb'A,1,2,"[""\ud800""]"',
        b"name,ra,dec,aliases\nA,1,2," + b"[" * 60_000,
    ],
)
def test_a_broken_file_is_refused(browser, content):
    page = upload(browser, content)
    assert page.status_code == 200
    assert page.context["problems"] or page.context["form"].errors or page.context["plan"].changes_nothing
    assert not Source.objects.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b", "ä" * 300, "<script>alert(1)</script>.csv"])
def test_a_name_is_only_a_name(browser, name):
    assert upload(browser, name=name).status_code == 200
    assert b"<script>alert" not in upload(browser, name=name).content


def test_a_file_that_is_too_large_is_refused(browser, db, monkeypatch, settings):
    monkeypatch.setattr(importing, "MAX_UPLOAD_BYTES", 10)
    assert "manage.py opsdb_load sources" in str(upload(browser).context["form"].errors)
    monkeypatch.undo()
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = importing.FORM_BYTES_SPARE + 50
    assert "too large for a form" in str(upload(browser).context["form"].errors)


class TestWhatTravelsWithThePage:
    def test_cannot_be_changed(self, browser):
        page = upload(browser)
        signed = page.context["signed"]
        for forged in (signed[:-1], signed[1:], "x", "", signed.replace(":", "::"), signing.dumps({"kind": "sources"})):
            response = browser.post(URL, {"opsdb_signed": forged, "reason": "mine"})
            assert response.status_code == 200
            assert "upload the file again" in response.content.decode()
        assert not Source.objects.exists()

    def test_is_the_persons_own(self, browser):
        other = logged_in(factories.UserFactory(superuser=True))
        assert "somebody else" in apply(other, upload(browser)).content.decode()
        assert not Source.objects.exists()

    def test_grows_old(self, browser, monkeypatch):
        page = upload(browser)
        monkeypatch.setattr(importing, "PREVIEW_SECONDS", -1)
        assert "too old" in apply(browser, page).content.decode()

    def test_is_looked_at_again_when_the_database_has_changed(self, browser):
        page = upload(browser, on_conflict="update")
        factories.FixedSourceFactory(name="Orion KL", comment="known")
        again = apply(browser, page)
        assert "nothing was loaded" in again.content.decode()
        assert FixedSource.objects.get(name="Orion KL").comment == "known"
        assert apply(browser, again).status_code == 302
        assert FixedSource.objects.get(name="Orion KL").comment == "bright"


def test_who_may_only_add_changes_nothing_by_a_file(db):
    from django.contrib.auth.models import Permission

    names = ["view_source", "add_source", "view_fixedsource", "add_fixedsource"]
    client = logged_in(
        factories.UserFactory(is_staff=True, user_permissions=Permission.objects.filter(codename__in=names))
    )
    factories.FixedSourceFactory(name="Orion KL", comment="known")
    page = upload(client, on_conflict="update")
    assert page.context["lacking"] == ["change fixed sources"]
    assert apply(client, page).status_code == 403
    assert FixedSource.objects.get(name="Orion KL").comment == "known"


def test_only_planning_tables_take_files(browser):
    taking = {model.__name__ for model in MODELS if kinds_for(model)}
    assert {"Source", "FixedSource", "PreScheduledSlot"} <= taking
    # A season names other files, which a form does not have.
    assert {kind.name for model in MODELS for kind in kinds_for(model)} == set(kinds()) - {"all"}
    assert not {"RawDataFile", "User", "DataLocation"} & taking
    for model in (RawDataFile, Telescope):
        assert browser.get(f"{address(model, 'changelist')}import/sources/").status_code == 404
    assert URL in browser.get(address(Source, "changelist")).content.decode()


def test_the_plan_names_no_row_that_the_person_may_not_view(browser, db):
    factories.TelescopeFactory(name="Fred Young", short_name="FYST", elevation_min_deg=20)
    northern = b"name,ra,dec\nM 82,148.97,69.68\n"
    assert "20\N{DEGREE SIGN} at FYST" in upload(browser, northern).content.decode()
    page = upload(may_only(Source, FixedSource), northern).content.decode()
    assert "FYST" not in page and "source M 82: never rises above the lowest elevation of any telescope" in page
