"""Who changed what, when and why, for every row; and the way back to an earlier version, as a new change."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.forms import ModelForm
from django.test.utils import CaptureQueriesContext

from opsdb.admins.kit.restoring import is_restorable
from opsdb.models import ChangeLog, DataTransfer, FixedSource, ObsUnit, User
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES
from opsdb.workflows import attributed
from tests.databases import as_owner
from tests.models.refusal import settle

from .conftest import logged_in
from .pages import MODELS, address, is_parent, name_of, submit

FREE = ("comment", "description", "origin", "title", "reason", "image", "method", "priority", "hours", "cpu")


def restore_url(row, entry):
    return f"{address(type(row), 'history', row)}{entry.pk}/restore/"


def undo_url(row, entry):
    return f"{address(type(row), 'history', row)}{entry.pk}/undo/"


def confirm_return(client, url, reason):
    """Look at the return to an earlier version, and confirm what was shown."""
    seen = client.get(url).context
    return client.post(url, {"reason": reason, "opsdb_digest": seen["digest"] if seen else ""})


def history(client, row, **query):
    return client.get(address(type(row), "history", row), query)


def shown(page):
    """The lines of the changes on a page."""
    return [{line.label: (line.before, line.after) for line in change.lines} for change in page.context["changes"]]


@pytest.fixture
def unit(db):
    unit = factories.ObsUnitFactory(priority=1)
    settle()
    return unit


class TestTheHistory:
    def test_says_who_when_why_by_what_and_the_difference(self, browser, superuser, unit):
        with attributed(user=superuser, origin="opsdb_load obs-units", reason="new proposal"):
            ObsUnit.objects.filter(pk=unit.pk).update(priority=7, comment="first half of the night")
        page = history(browser, unit)
        newest, made = page.context["changes"]
        assert shown(page)[0] == {"priority": ("1", "7"), "comment": ("–", "first half of the night")}
        html = page.content.decode()
        for text in (superuser.username, "opsdb_load obs-units", "new proposal", "changed", "inserted"):
            assert text in html
        assert newest.entry.changed_at > made.entry.changed_at

    def test_names_what_references_point_to_and_what_is_gone(self, browser, unit):
        old, new = unit.source, factories.FixedSourceFactory(name="Orion KL").source_ptr
        ObsUnit.objects.filter(pk=unit.pk).update(source=new)
        assert shown(history(browser, unit))[0] == {"source": (str(old), "Orion KL")}
        ObsUnit.objects.filter(pk=unit.pk).update(source=old)
        FixedSource.objects.filter(pk=new.pk).delete()
        assert shown(history(browser, unit))[0] == {"source": (f"{new.pk}, which is gone", str(old))}

    def test_shows_a_row_of_joined_tables_as_one(self, browser):
        source = factories.FixedSourceFactory(comment="")
        settle()
        FixedSource.objects.filter(pk=source.pk).update(comment="bright", ra_deg=1)
        (newest, *_) = shown(history(browser, source))
        assert set(newest) == {"comment", "RA [deg]"}

    def test_pages_by_key_with_a_constant_number_of_queries(self, browser, unit, monkeypatch):
        history(browser, unit)
        counts = []
        for number in range(2, 9):
            with as_owner():
                ChangeLog.objects.create(
                    table_name="obs_unit",
                    row_id=unit.pk,
                    operation="update",
                    before={"priority": number - 1},
                    after={"priority": number},
                    database_user="x",
                    transaction_id=number,
                )
            with CaptureQueriesContext(connection) as queries:
                page = history(browser, unit)
            counts.append(len(queries))
        assert len(set(counts)) == 1
        monkeypatch.setattr("opsdb.admins.kit.row_history.changes_of.__defaults__", (None, 3))
        page = history(browser, unit)
        seen = []
        while True:
            seen += [change.entry.pk for change in page.context["changes"]]
            if not page.context["following"]:
                break
            page = history(browser, unit, before=page.context["following"])
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == len(set(seen)) == 8

    @pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "\x00", ""])
    def test_answers_whatever_the_address_asks_for(self, browser, unit, before):
        assert history(browser, unit, before=before).status_code == 200

    def test_hides_secrets(self, browser, superuser):
        superuser.set_password("Cerro-Chajnantor-5612")
        superuser.save()
        settle()
        superuser.set_password("Cerro-Chajnantor-5613")
        superuser.save()
        browser = logged_in(superuser)
        html = history(browser, superuser).content.decode()
        assert "password" in html
        assert superuser.password not in html


class TestEarlierVersions:
    def first(self, row):
        return ChangeLog.objects.of(row).last()

    def test_the_difference_is_shown_and_nothing_done_before_a_reason_is_given(self, browser, unit):
        version = self.first(unit)
        ObsUnit.objects.filter(pk=unit.pk).update(priority=7)
        assert restore_url(unit, version) in history(browser, unit).content.decode()
        page = browser.get(restore_url(unit, version))
        assert [(line["label"], line["present"], line["then"]) for line in page.context["lines"]] == [
            ("priority", "7", "1")
        ]
        assert confirm_return(browser, restore_url(unit, version), " ").context["form"].errors
        assert ObsUnit.objects.get(pk=unit.pk).priority == 7

    def test_a_version_comes_back_as_a_new_change(self, browser, superuser, unit):
        version = self.first(unit)
        for priority in (7, 8):
            settle()
            ObsUnit.objects.filter(pk=unit.pk).update(priority=priority, comment=f"try {priority}")
        response = confirm_return(browser, restore_url(unit, version), "it was better")
        assert response.status_code == 302
        restored = ObsUnit.objects.get(pk=unit.pk)
        assert (restored.priority, restored.comment) == (1, "")
        newest = ChangeLog.objects.of(unit).first()
        assert newest.user == superuser
        assert newest.reason.startswith("version of ")
        assert newest.reason.endswith(": it was better")

    @pytest.mark.parametrize("kind", ["restore", "undo"])
    @pytest.mark.parametrize(
        ("meanwhile", "present"), [({"priority": 8}, ["8", "later"]), ({"comment": "other"}, ["7", "other"])]
    )
    def test_what_was_not_shown_does_not_come_back(self, browser, unit, kind, meanwhile, present):
        version = self.first(unit)
        ObsUnit.objects.filter(pk=unit.pk).update(priority=7, comment="later")
        entry = version if kind == "restore" else ChangeLog.objects.of(unit).first()
        url = (restore_url if kind == "restore" else undo_url)(unit, entry)
        seen = browser.get(url).context["digest"]
        settle()
        ObsUnit.objects.filter(pk=unit.pk).update(**meanwhile)
        for digest in (seen, ""):
            page = browser.post(url, {"reason": "back", "opsdb_digest": digest})
            assert "nothing was done" in page.content.decode()
            lines = {line["label"]: line["present"] for line in page.context["lines"]}
            assert [lines["priority"], lines["comment"]] == present
        unit.refresh_from_db()
        assert [str(unit.priority), unit.comment] == present
        seen = page.context["digest"]
        assert browser.post(url, {"reason": "back", "opsdb_digest": seen}).status_code == 302
        unit.refresh_from_db()
        assert (unit.priority, unit.comment) == (1, "")

    def test_a_change_while_it_is_saved_is_shown_first(self, browser, unit, monkeypatch):
        version = self.first(unit)
        ObsUnit.objects.filter(pk=unit.pk).update(priority=7)
        url, is_valid = restore_url(unit, version), ModelForm.is_valid

        def changed_meanwhile(form):
            if isinstance(form, ModelForm):
                monkeypatch.undo()
                ObsUnit.objects.filter(pk=unit.pk).update(priority=8)
            return is_valid(form)

        seen = browser.get(url).context["digest"]
        monkeypatch.setattr(ModelForm, "is_valid", changed_meanwhile)
        page = browser.post(url, {"reason": "back", "opsdb_digest": seen})
        assert "nothing was done" in page.content.decode()
        assert ObsUnit.objects.get(pk=unit.pk).priority == 8

    def test_fractions_of_seconds_come_through(self, browser):
        slot = factories.PreScheduledSlotFactory()
        settle()
        start = slot.start_time.replace(microsecond=250_001)
        type(slot).objects.filter(pk=slot.pk).update(start_time=start)
        version = ChangeLog.objects.of(slot).first()
        type(slot).objects.filter(pk=slot.pk).update(start_time=slot.start_time)
        assert confirm_return(browser, restore_url(slot, version), "back").status_code == 302
        assert type(slot).objects.get(pk=slot.pk).start_time == start

    @pytest.mark.django_db(transaction=True)
    def test_links_that_change_together_are_one_change_are_named_and_come_back(self, browser):
        program, one, other = factories.ObservingProgramFactory(), *factories.InstrumentFactory.create_batch(2)
        program.instruments.set([one])
        version = ChangeLog.objects.of(program).first()
        with transaction.atomic():
            type(program).objects.filter(pk=program.pk).update(lead="somebody")
            program.instruments.set([other])
        newest = shown(history(browser, program))[0]
        assert newest == {"lead": ("–", "somebody"), "instruments": (str(one), str(other))}
        with transaction.atomic():
            type(program).objects.filter(pk=program.pk).update(description="later", lead="somebody else")
        changed = history(browser, program).context["changes"][1]
        page = browser.get(changed.undo_url)
        assert {line["label"]: (line["present"], line["then"]) for line in page.context["lines"]} == {
            "instruments": (str(other), str(one)),
            "lead": ("somebody else", "–"),
        }
        type(program).objects.filter(pk=program.pk).update(description="", lead="")
        page = browser.get(restore_url(program, version))
        assert [(line["present"], line["then"]) for line in page.context["lines"]] == [(str(other), str(one))]
        assert confirm_return(browser, restore_url(program, version), "back").status_code == 302
        assert list(program.instruments.all()) == [one]

    def test_who_has_changed_a_row_may_undo_that_at_once(self, browser, unit):
        url = address(ObsUnit, "change", unit)
        page = submit(browser, url, unit, {"priority": 7})
        entry = ChangeLog.objects.of(unit).first()
        assert f'<a href="{undo_url(unit, entry)}">Undo this change</a>' in browser.get(page.url).content.decode()
        unit.refresh_from_db()
        page = submit(browser, url, unit)
        assert "Undo this change" not in browser.get(page.url).content.decode(), "nothing was changed"

    def test_a_change_that_was_not_logged_offers_no_older_one(self, browser, unit):
        ObsUnit.objects.filter(pk=unit.pk).update(comment="of somebody else")
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION keep_priority() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN NEW.priority := OLD.priority; RETURN NEW; END$$"
            )
            cursor.execute(
                f"CREATE TRIGGER keep_priority BEFORE UPDATE ON {ObsUnit._meta.db_table} "
                "FOR EACH ROW EXECUTE FUNCTION keep_priority()"
            )
        unit.refresh_from_db()
        before = ChangeLog.objects.of(unit).first().pk
        page = submit(browser, address(ObsUnit, "change", unit), unit, {"priority": 7})
        assert page.status_code == 302 and ChangeLog.objects.of(unit).first().pk == before
        assert "Undo this change" not in browser.get(page.url).content.decode()

    def test_one_change_is_undone_and_later_ones_of_other_fields_stay(self, browser, superuser, unit):
        ObsUnit.objects.filter(pk=unit.pk).update(priority=9)
        ObsUnit.objects.filter(pk=unit.pk).update(comment="later")
        _later, wrong, made = history(browser, unit).context["changes"]
        assert (wrong.undo_url, made.undo_url) == (undo_url(unit, wrong.entry), "")
        assert "Undo this change" in history(browser, unit).content.decode()
        page = browser.get(wrong.undo_url)
        assert [(line["label"], line["present"], line["then"]) for line in page.context["lines"]] == [
            ("priority", "9", "1")
        ]
        assert confirm_return(browser, wrong.undo_url, "a slip").status_code == 302
        unit.refresh_from_db()
        assert (unit.priority, unit.comment) == (1, "later")
        newest = ChangeLog.objects.of(unit).first()
        assert newest.user == superuser and newest.reason.endswith(": a slip") and "undone" in newest.reason
        page = browser.get(wrong.undo_url, follow=True)
        assert "What it changed is already as it was before." in page.content.decode()
        page = browser.get(undo_url(unit, made.entry), follow=True)
        assert "made or deleted by this change" in page.content.decode()

    def test_the_present_version_needs_no_restoring(self, browser, unit):
        page = browser.get(restore_url(unit, ChangeLog.objects.of(unit).first()), follow=True)
        assert "the same as the present one" in page.content.decode()

    def test_what_the_rules_refuse_now_is_said_beside_its_field(self, browser, unit):
        version = self.first(unit)
        ObsUnit.objects.filter(pk=unit.pk).update(name="renamed")
        factories.ObsUnitFactory(observing_program=unit.observing_program, name=unit.name)
        page = confirm_return(browser, restore_url(unit, version), "back")
        assert page.status_code == 200
        texts = page.context["errors"] + [text for line in page.context["lines"] for text in line["errors"]]
        assert any("name" in text for text in texts), texts
        assert ObsUnit.objects.get(pk=unit.pk).name == "renamed"

    def test_states_and_facts_stay(self, browser):
        transfer = factories.DataTransferFactory(failed=True)
        settle()
        DataTransfer.objects.filter(pk=transfer.pk).update(status="pending", finished_at=None)
        entry = ChangeLog.objects.of(transfer).first() or pytest.fail("nothing was recorded")
        assert "Restore this version" not in history(browser, transfer).content.decode()
        page = browser.post(restore_url(transfer, entry), {"reason": "back"}, follow=True)
        assert "facts or states" in page.content.decode()

    def test_of_a_user_nothing_comes_back(self, browser, superuser):
        User.objects.filter(pk=superuser.pk).update(first_name="Ana")
        entry = ChangeLog.objects.of(superuser).last()
        assert "facts or states" in browser.get(restore_url(superuser, entry), follow=True).content.decode()

    def test_an_entry_of_another_row_is_none_of_this_one(self, browser, unit):
        other = factories.ObsUnitFactory()
        assert browser.get(restore_url(unit, self.first(other))).status_code == 404
        assert browser.get(f"{address(ObsUnit, 'history', unit)}{'9' * 30}/restore/").status_code == 404

    def test_who_may_not_change_may_not_restore(self, viewer, unit):
        version = self.first(unit)
        ObsUnit.objects.filter(pk=unit.pk).update(priority=7)
        for call in (viewer.get, viewer.post):
            assert call(restore_url(unit, version), {"reason": "mine"}).status_code == 403
            assert call(undo_url(unit, version), {"reason": "mine"}).status_code == 403
        assert "Restore this version" not in history(viewer, unit).content.decode()

    @pytest.mark.parametrize("model", [model for model in MODELS if is_restorable(model)], ids=name_of)
    def test_a_text_of_every_kind_of_plan_and_reference_row_comes_back(self, browser, model):
        row = FACTORIES[model]()
        if is_parent(model):
            return
        settle()
        free = [one for one in model._meta.concrete_fields if one.name in FREE]
        if not free:
            pytest.skip("has no field that takes any value")
        name = free[0].name
        old = getattr(row, name)
        version = ChangeLog.objects.of(row).first()
        model.objects.filter(pk=row.pk).update(**{name: f"{old} else" if isinstance(old, str) else old + 1})
        response = confirm_return(browser, restore_url(row, version), "back")
        assert response.status_code == 302, (response.context["errors"], response.context["lines"])
        assert model.objects.values_list(name, flat=True).get(pk=row.pk) == old


class TestTheChangeLog:
    @pytest.fixture
    def without_tokens(self, db):
        """The browser of somebody who sees everything but tokens, as an approver does."""
        views = Permission.objects.filter(codename__startswith="view_").exclude(codename="view_apitoken")
        return logged_in(factories.UserFactory(is_staff=True, user_permissions=views))

    def test_leaves_out_the_tables_that_the_person_may_not_view(self, browser, without_tokens):
        token, site = factories.ApiTokenFactory(name="name of a secret"), factories.SiteFactory(name="Chajnantor")
        settle()
        for client, shown in ((without_tokens, False), (browser, True)):
            url = address(ChangeLog, "changelist")
            page = client.get(url)
            tables = {entry.table_name for entry in page.context["cl"].result_list}
            assert "site" in tables and ("api_token" in tables) == shown
            for form in ("csv", "json"):
                text = b"".join(client.get(f"{url}export/{form}/").streaming_content).decode()
                assert "Chajnantor" in text and ("name of a secret" in text) == shown
            entries = [ChangeLog.objects.of(row).first() for row in (site, token)]
            answers = [client.get(address(ChangeLog, "change", entry)) for entry in entries]
            assert [answer.status_code for answer in answers] == [200, 200 if shown else 302]
            found = client.get(url, {"row_id": token.pk, "table_name": "api_token"}).context["cl"]
            assert bool(found.result_count) == shown
