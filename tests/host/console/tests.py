"""The project's own tests, which use what ops-db brings for them."""

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test import Client, LiveServerTestCase, TestCase, TransactionTestCase
from django.urls import reverse

from opsdb.loaders.reference import load_reference
from opsdb.models import ApiToken, ChangeLog, FixedSource, ObsUnit, PhysicalCopy, RawDataPackage, Role, Site
from opsdb.testing.factories import FixedSourceFactory, ObsUnitFactory, SiteFactory
from opsdb.testing.nights import make_night

Person = get_user_model()


def person(role, **fields):
    user = Person.objects.create_user(f"{role} person", **fields)
    user.groups.add(Role.objects.get(name=role).group_ptr)
    return user


class Pages(TestCase):
    @classmethod
    def setUpTestData(cls):
        load_reference()
        cls.night = make_night(executions=2)

    def test_people_sign_in_by_the_identity_provider_and_get_the_roles_of_their_teams(self):
        for code, status in (("code-of-anna", 200), ("code-of-otto", 200), ("code-of-eve", 302)):
            client = Client()
            self.assertRedirects(
                client.get("/callback/", {"code": code}), reverse("units"), fetch_redirect_response=False
            )
            self.assertEqual(client.get(reverse("units")).status_code, status)
        anna = Person.objects.get(username="anna")
        self.assertTrue(anna.has_perm("manage:users"))
        self.assertFalse(anna.has_usable_password() and anna.check_password(""))
        self.assertFalse(Person.objects.get(username="otto").has_perm("read:users"))

    def test_people_log_in_by_password(self):
        person("viewer", password="a long and good one")
        client = Client()
        data = {"username": "viewer person", "password": "a long and good one"}
        self.assertRedirects(client.post(reverse("login"), data), reverse("units"))

    def test_lists_are_filtered_and_refuse_what_they_do_not_know(self):
        self.client.force_login(person("viewer"))
        unit = self.night.unit
        ObsUnitFactory(name="another unit")
        page = self.client.get(reverse("units"), {"observing_program": unit.observing_program.short_name})
        self.assertContains(page, unit.name)
        self.assertNotContains(page, "another unit")
        refused = self.client.get(reverse("units"), {"observing_progam": "x"})
        self.assertContains(refused, "did you mean", status_code=400)
        self.assertContains(self.client.get(reverse("unit", args=[unit.pk])), "completed", count=2)
        paths = [file.relative_path for file in self.night.files]
        page = self.client.get(reverse("files"), {"instrument_module": self.night.module.pk})
        for path in paths:
            self.assertContains(page, path)

    def test_a_night_is_archived(self):
        self.assertEqual({package.state for package in self.night.packages}, {"archived"})
        self.assertEqual(RawDataPackage.objects.count(), 2)

    def test_the_admin_of_the_project_has_ours(self):
        self.client.force_login(Person.objects.create_superuser("root"))
        for page in ("", "opsdb/", "opsdb/obsunit/", f"opsdb/obsunit/{self.night.unit.pk}/change/"):
            self.assertEqual(self.client.get(f"/admin/{page}").status_code, 200, page)


class Api(TestCase):
    @classmethod
    def setUpTestData(cls):
        load_reference()
        cls.user = person("admin")
        _, cls.secret = ApiToken.objects.create_token(user=cls.user, name="program", scopes=["*:*"])
        _, cls.reading = ApiToken.objects.create_token(user=cls.user, name="reader", scopes=["read:programs"])
        cls.unit, cls.source = ObsUnitFactory(), FixedSourceFactory(ra_deg=10, dec_deg=-5)

    def ask(self, method, path, secret, data=None):
        return getattr(Client(headers={"Authorization": f"Bearer {secret}"}), method)(
            f"/api/{path}", data, content_type="application/json"
        )

    def test_without_a_token_there_is_no_answer(self):
        self.assertEqual(Client().get("/api/units/").status_code, 401)
        self.assertEqual(self.ask("get", "units/", self.secret[:-1]).status_code, 401)

    def test_scopes_narrow_what_the_user_may_do(self):
        self.assertEqual(len(self.ask("get", "units/", self.reading).json()), 1)
        self.assertEqual(self.ask("get", "files/", self.reading).status_code, 403)
        self.assertEqual(self.ask("patch", f"units/{self.unit.pk}/", self.reading, {"priority": 3}).status_code, 403)
        self.assertEqual(self.ask("patch", f"units/{self.unit.pk}/", self.secret, {"priority": 3}).status_code, 200)
        change = ChangeLog.objects.get(table_name="obs_unit", operation="update")
        self.assertEqual(change.user, self.user)

    def test_a_token_of_an_inactive_user_is_worth_nothing(self):
        Person.objects.filter(pk=self.user.pk).update(is_active=False)
        self.assertEqual(self.ask("get", "units/", self.secret).status_code, 401)

    def test_a_rule_is_answered(self):
        answer = self.ask("patch", f"sources/{self.source.pk}/", self.secret, {"ra_deg": 400})
        self.assertEqual((answer.status_code, answer.json()["field"]), (400, "ra_deg"))
        answer = self.ask("patch", f"units/{self.unit.pk}/", self.secret, {"source": None})
        self.assertEqual((answer.status_code, answer.json()["rule"]), (409, "obs_unit_source_needed"))
        self.unit.refresh_from_db()
        self.assertIsNotNone(self.unit.source)

    def test_a_list_is_filtered(self):
        found = self.ask("get", f"sources/?cone={self.source.ra_deg},{self.source.dec_deg},0.1", self.secret).json()
        self.assertEqual([one["id"] for one in found], [self.source.pk])
        self.assertEqual(self.ask("get", "sources/?cone=here", self.secret).status_code, 400)
        self.assertEqual(self.ask("get", "files/?instument_module=1", self.secret).status_code, 400)


class Emptied(TransactionTestCase):
    """Django empties the tables after each of these."""

    def test_a_row_is_made_after_the_tables_were_emptied_by_command(self):
        SiteFactory()
        call_command("flush", interactive=False, verbosity=0)
        self.assertFalse(Site.objects.exists())
        SiteFactory(name="here")
        self.assertEqual(Site.objects.get().name, "here")

    def test_a_row_is_made_again_and_rules_hold(self):
        self.assertFalse(Site.objects.exists())
        SiteFactory(name="here")
        source = FixedSourceFactory()
        with self.assertRaisesMessage(IntegrityError, "fixed_source_dec_deg_range"):
            FixedSource.objects.filter(pk=source.pk).update(dec_deg=-91)

    def test_rows_are_dumped_and_loaded(self):
        import io
        import tempfile

        from opsdb.testing.databases import rules_suspended

        load_reference()
        night = make_night()
        dumped = io.StringIO()
        call_command("dumpdata", "opsdb", "people", "auth.group", natural_foreign=True, stdout=dumped)
        counts = {model: model.objects.count() for model in (Site, ObsUnit, RawDataPackage, PhysicalCopy)}
        changes = ChangeLog.objects.filter(table_name="site").count()
        call_command("flush", interactive=False, verbosity=0)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(dumped.getvalue())
            file.flush()
            with rules_suspended():
                call_command("loaddata", file.name, verbosity=0)
        self.assertEqual({model: model.objects.count() for model in counts}, counts)
        self.assertEqual(ChangeLog.objects.filter(table_name="site").count(), changes)
        self.assertEqual(RawDataPackage.objects.get().state, night.packages[0].state)
        with self.assertRaises(IntegrityError), connection.cursor() as cursor:
            cursor.execute("UPDATE raw_data_package SET state = 'failed', part = 7")


class Served(LiveServerTestCase):
    def test_the_login_page_is_served(self):
        import urllib.request

        with urllib.request.urlopen(f"{self.live_server_url}/login/") as answer:  # noqa: S310
            self.assertEqual(answer.status, 200)
