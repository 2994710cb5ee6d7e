"""A file is imported from any page, without saying what kind it is: the page of its kind answers."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from opsdb.admins.kit import importing
from opsdb.loaders import kinds
from opsdb.models import (
    ApiToken,
    Downtime,
    FixedSource,
    ObsUnit,
    PreScheduledSlot,
    RawDataFile,
    Source,
    TimeAllocation,
)
from opsdb.testing import factories

from .conftest import may_only
from .pages import address

URL = f"{address(Source, 'changelist')}import/"
GOOD = b"name,ra,dec,comment\nOrion KL,83.81,-5.37,bright\nSgr A*,266.42,-29.01,\n"
CONTROL = 'id="opsdb-import"'


def upload(client, content=GOOD, name="list.bin", url=URL, **options):
    return client.post(url, {"file": SimpleUploadedFile(name, content), **options})


def header(kind):
    return ",".join(column.name for column in kinds()[kind].columns if column.required).encode() + b"\n"


def test_the_page_of_its_kind_shows_what_loading_it_would_do_and_loads_it(browser, superuser):
    page = upload(browser)
    assert page.context["totals"] == [("create", "fixed source", 2)]
    assert page.context["title"] == "Import sources"
    assert not Source.objects.exists()
    html = page.content.decode()
    assert "By its content this is a file of the kind sources." in html
    assert html.count(f'action="{URL}sources/"') == 2
    done = browser.post(f"{URL}sources/", {"opsdb_signed": page.context["signed"], "reason": "proposal 2026B"})
    assert (done.status_code, done.url) == (302, address(Source, "changelist"))
    assert FixedSource.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("sources", Source),
        ("obs-units", ObsUnit),
        ("allocations", TimeAllocation),
        ("downtimes", Downtime),
        ("slots", PreScheduledSlot),
    ],
)
def test_errors_are_those_of_its_kind(browser, kind, model):
    page = upload(browser, header(kind), name="season.yaml")
    (problem,) = page.context["problems"].problems
    assert (problem.line, problem.message) == (1, "there are no rows below the header")
    assert page.context["action"] == f"{address(model, 'changelist')}import/{kind}/"


def test_a_schedule_is_taken_and_its_options_are_asked_for(browser, db):
    page = upload(browser, b"# %ECSV 1.0\n# ---\n", name="list.csv")
    assert page.context["title"] == "Import slots"
    assert {"program", "create_missing", "on_conflict", "file"} == {*page.context["form"].fields}
    assert "choose that below, and then the file once more" in page.content.decode()


def test_errors_are_shown_at_line_and_column(browser, db):
    page = upload(browser, b"name,ra,dec\nA,400,0\nB,10,-91\n")
    assert [(one.line, one.column) for one in page.context["problems"].problems] == [(2, "ra"), (3, "dec")]
    page = upload(browser, b"program,name,source,mod,configuration\nx,y,z,a,b\n")
    assert page.context["title"] == "Import obs-units"
    assert "unknown column &#x27;mod&#x27;" in page.content.decode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"telescope,start_time,end_time,unit,start,reason\n", "this looks like slots as well as downtimes"),
        (b"id,name,amount\n", "this is none of the kinds of files that are loaded"),
    ],
)
def test_of_what_is_not_recognized_it_is_said_what_was_looked_for(browser, db, content, said):
    page = upload(browser, content, name="<b>list.csv")
    html = page.content.decode()
    assert page.status_code == 200 and page.templates[0].name == "admin/opsdb/import_any.html"
    assert f"&lt;b&gt;list.csv: {said}. Nothing was written." in html
    for kind, url in page.context["importers"]:
        assert f'href="{url}"' in html and kind.looks in html
    assert [kind.name for kind, _url in page.context["importers"]] == [name for name in kinds() if name != "all"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"\x89PNG\r\n\x1a\n",
        b"\xfe\xff\x00n\x00a",
        b"name,ra\x00,dec\n",
        b"PK\x03\x04",
        b"\n\n",
        b"name\n",
        b'"' * 200_000,
        b"name," * 200_000,
        GOOD.decode().encode("utf-16")[:-1],
    ],
)
def test_what_is_broken_is_refused(browser, content):
    page = upload(browser, content)
    assert page.status_code == 200
    assert page.context["problems"] or page.context["form"].errors or page.context["notice"]
    assert not Source.objects.exists()


def test_utf_16_and_workbooks_are_taken(browser, db):
    assert upload(browser, GOOD.decode().encode("utf-16")).context["totals"] == [("create", "fixed source", 2)]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b", "ä" * 300, "<script>alert(1)</script>.csv"])
def test_a_name_is_only_a_name(browser, name):
    for content in (GOOD, b"id,name,amount\n", b"\x00"):
        page = upload(browser, content, name=name)
        assert page.status_code == 200 and b"<script>alert" not in page.content


def test_a_file_that_is_too_large_or_missing_is_refused(browser, db, monkeypatch, settings):
    assert browser.post(URL, {}).context["form"].errors["file"]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = importing.FORM_BYTES_SPARE + 50
    assert "too large for a form" in str(upload(browser).context["form"].errors)
    monkeypatch.setattr(importing, "MAX_UPLOAD_BYTES", 10)
    assert "by manage.py opsdb_load." in str(upload(browser).context["form"].errors)


def test_a_season_is_left_to_the_command(browser, db):
    page = upload(browser, b"load:\n  - kind: sources\n    files: /etc/passwd\n")
    assert "opsdb_load all" in page.context["notice"]


class TestWhoMayImport:
    def test_nobody_else_imports_another_kind(self, db):
        client = may_only(Downtime)
        url = f"{address(Downtime, 'changelist')}import/"
        page = upload(client, b"program,name,mode,configuration\nSECRET,a,b,c\n", url=url)
        html = page.content.decode()
        assert page.status_code == 403
        assert "you may not add them: you lack the permission opsdb.add_obsunit." in html
        assert "SECRET" not in html and "list.bin" not in html
        assert [kind.name for kind, _url in page.context["importers"]] == ["downtimes"]
        page = upload(client, header("downtimes"), url=URL)
        assert page.context["title"] == "Import downtimes"

    def test_a_subtype_is_enough(self, db):
        client = may_only(FixedSource)
        page = upload(client, url=f"{address(FixedSource, 'changelist')}import/")
        assert page.context["action"] == f"{address(FixedSource, 'changelist')}import/sources/"
        assert page.context["lacking"] == []

    def test_who_may_import_nothing_is_refused_and_has_no_control(self, viewer, outsider):
        for client in (viewer, outsider):
            assert client.get(URL).status_code == upload(client).status_code == 403
            assert CONTROL not in client.get("/admin/").content.decode()
        assert CONTROL not in may_only(ApiToken, RawDataFile).get("/admin/").content.decode()
        for answer in (Client().get(URL), upload(Client())):
            assert answer.status_code == 302 and "login" in answer.url
        assert CONTROL not in Client().get("/admin/login/").content.decode()

    def test_a_token_of_the_form_is_needed(self, superuser):
        client = Client(enforce_csrf_checks=True)
        client.force_login(superuser)
        assert upload(client).status_code == 403
        page = client.get("/admin/")
        token = page.context["csrf_token"]
        assert upload(client, csrfmiddlewaretoken=str(token)).context["title"] == "Import sources"


def test_every_page_has_the_control_and_leads_to_a_page_without_a_script(browser, db):
    for path in ("/admin/", address(RawDataFile, "changelist"), address(ApiToken, "add"), URL):
        html = browser.get(path).content.decode()
        assert html.count(CONTROL) == 1
        assert f'<a href="{URL}">Import a file</a>' in html
    page = browser.get(URL)
    assert page.context["title"] == "Import a file"
    assert browser.put(URL).status_code == 200
    assert CONTROL not in browser.get(f"{address(Source, 'add')}?_popup=1").content.decode()


def test_only_lists_of_planning_rows_have_the_page(browser, db):
    assert browser.get(f"{address(TimeAllocation, 'changelist')}import/").status_code == 200
    assert browser.get(f"{address(ApiToken, 'changelist')}import/", follow=True).status_code != 500
    assert "import_any" not in str(browser.get(f"{address(RawDataFile, 'changelist')}import/").templates)


@pytest.mark.urls("tests.admins.answers.two_sites")
def test_another_admin_site_keeps_to_itself(browser, db):
    url = URL.replace("/admin/", "/second/")
    assert f'<a href="{url}">Import a file</a>' in browser.get("/second/").content.decode()
    page = upload(browser, url=url)
    assert page.context["action"] == f"{url}sources/"


def test_no_query_is_made_for_the_control(superuser, django_assert_max_num_queries):
    from django.contrib import admin
    from django.test import RequestFactory

    from opsdb.admins.kit.any_import import any_import_url

    request = RequestFactory().get("/admin/")
    request.user = superuser
    with django_assert_max_num_queries(0):
        assert any_import_url(admin.site, request) == URL
    request.user = factories.UserFactory(is_staff=True)
    request.user.has_perm("opsdb.add_source")
    with django_assert_max_num_queries(0):
        assert any_import_url(admin.site, request) is None
