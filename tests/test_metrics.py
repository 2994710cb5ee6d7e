"""Metrics for Prometheus: read by its own parser, by a fixed number of queries, for those who may see them."""

import re
import sys
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from opsdb import metrics
from opsdb.loaders.reference import load_reference
from opsdb.metrics import STALLED_TABLES, OpsdbCollector, expose, metrics_view
from opsdb.models import (
    ApiToken,
    DataTransfer,
    ExecutedObsUnit,
    PhysicalCopy,
    PhysicalCopyStatus,
    Role,
)
from opsdb.testing.factories import UserFactory
from opsdb.testing.nights import WORKER, build_world
from opsdb.workflows import fail_transfer, get_overview
from tests.commands import ROOT
from tests.workflows.explaining import stop_the_clock
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def samples(text=None):
    """The value of every sample, by name and labels."""
    families = text_string_to_metric_families(text or expose()[0].decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


# Where no capacity is known, and no replica is read.
HAVE_NONE = {
    "opsdb_location_capacity_bytes",
    "opsdb_database_active",
    "opsdb_replica_behind_bytes",
    "opsdb_replica_behind_seconds",
}


def test_every_metric_follows_the_conventions(world):
    world.archived_package()
    families = [*text_string_to_metric_families(expose()[0].decode())]
    assert len(families) == 15
    for family in families:
        assert family.name.startswith("opsdb_") and family.documentation and family.type == "gauge"
        assert family.name.endswith(("_bytes", "_seconds", "_rows", "_copies", "_exact", "_active", "_info"))
        assert not any({"row", "id", "message", "path"} & {*sample.labels} for sample in family.samples)
        assert family.samples or family.name in HAVE_NONE


def test_the_page_names_the_stages():
    page = (ROOT / "docs" / "metrics.md").read_text()
    named = re.findall(r"`(\w+)`", page.partition("with `_` for spaces:")[2].partition("\n\n")[0])
    families = {family.name: family for family in text_string_to_metric_families(expose()[0].decode())}
    stages = dict.fromkeys(sample.labels["stage"] for sample in families["opsdb_stage_oldest_age_seconds"].samples)
    assert named == [*stages]


def test_it_says_what_the_overview_says(world):
    world.archived_package(files=3)
    transfer = world.begun_transfer()
    found, overview = samples(), get_overview()
    assert found["opsdb_stage_rows", "packaged", "raw_data_files"] == 6
    assert found["opsdb_stage_rows_exact", "packaged", "raw_data_files"] == 1
    assert found["opsdb_stage_rows", "in_progress", "transfers"] == 1
    assert found["opsdb_stage_oldest_age_seconds", "transfers"] >= 0
    for place in overview.locations:
        labels = sorted((place.site, place.location, place.location_type))
        assert found["opsdb_location_stored_bytes", *labels] == place.volume_bytes
        assert found["opsdb_location_lacking_copies", *labels] == place.lacking.value
        assert found["opsdb_location_active", *labels] == 1
        states = {
            state for state in PhysicalCopyStatus if ("opsdb_location_copies", *sorted((*labels, state))) in found
        }
        assert states == {*PhysicalCopyStatus}
    fail_transfer(transfer, worker=WORKER, message="x", retryable=False)
    assert samples()["opsdb_stage_failed_rows", "transfers"] == 1


def test_missing_copies_and_ages_are_measured(world):
    package = world.archived_package()
    copy = world.copy(package, world.cologne_archive)
    archive = sorted(("cologne", "archive", "long_term_archive"))
    assert samples()["opsdb_location_lacking_copies", *archive] == 0
    PhysicalCopy.objects.filter(pk=copy.pk).update(status="missing")
    found = samples()
    assert found["opsdb_location_lacking_copies", *archive] == 1
    assert found["opsdb_location_copies", *sorted((*archive, "missing"))] == 1
    execution = world.observe(running=True)
    age = (timezone.now() - ExecutedObsUnit.objects.get(pk=execution.pk).start_time).total_seconds()
    assert samples()["opsdb_stage_oldest_age_seconds", "observations"] == pytest.approx(age, abs=60)


def test_stalled_work_is_counted_by_table(world):
    world.begun_transfer()
    assert samples()["opsdb_stalled_rows", "data_transfer"] == 0
    stop_the_clock(DataTransfer)
    assert samples()["opsdb_stalled_rows", "data_transfer"] == 1
    assert [key[1] for key in samples() if key[0] == "opsdb_stalled_rows"] == STALLED_TABLES


def test_the_queries_are_as_many_whatever_there_is(world, django_assert_num_queries):
    with django_assert_num_queries(9):
        expose()
    world.archived_package()
    with django_assert_num_queries(9):
        expose()


def test_registering_asks_no_database(django_assert_num_queries):
    registry = CollectorRegistry()
    with django_assert_num_queries(0):
        registry.register(OpsdbCollector())


def test_labels_are_escaped(world, monkeypatch):
    """Names are checked by the database; should that ever change, the exposition stays readable."""
    overview, odd = get_overview(), 'a"b\\c\nd'
    overview.locations[0] = replace(overview.locations[0], location=odd)
    monkeypatch.setattr(metrics, "get_overview", lambda: overview)
    assert any(odd in key for key in samples())


def test_openmetrics_is_answered_to_who_asks_for_it(world):
    body, content_type = expose("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert [*openmetrics.text_string_to_metric_families(body.decode())]


# The command


def test_the_command_prints_them(world):
    out = StringIO()
    call_command("opsdb_status", "--prometheus", stdout=out)
    assert samples(out.getvalue()).keys() == samples().keys()
    with pytest.raises(CommandError, match="not allowed with argument"):
        call_command("opsdb_status", "--prometheus", "--json")


def test_without_the_extra_the_command_names_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "opsdb.metrics")
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(CommandError, match=r"pip install 'ops-db\[metrics\]'"):
        call_command("opsdb_status", "--prometheus")


# The view


def ask(user=None, secret=None, method="get"):
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    request = getattr(RequestFactory(), method)("/metrics", headers=headers)
    request.user = user or AnonymousUser()
    return metrics_view(request)


@pytest.fixture
def viewer(db):
    load_reference()
    user = UserFactory()
    user.groups.add(Role.objects.get(name="viewer"))
    return user


def test_nobody_sees_them_without_a_login_or_a_token():
    refused = ask()
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert ask(secret="opsdb_wrong").status_code == 401
    assert metrics_view(RequestFactory().get("/metrics")).status_code == 401
    assert ask(method="post").status_code == 405


def test_those_who_may_not_read_everything_do_not():
    refused = ask(UserFactory())
    assert refused.status_code == 403 and b"opsdb_" not in refused.content


def test_a_service_sees_them(viewer):
    viewer.groups.set([Role.objects.get(name="service")])
    assert ask(viewer).status_code == 200


def test_a_viewer_sees_them(viewer):
    answer = ask(viewer)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
    assert "no-store" in answer["Cache-Control"]
    assert samples(answer.content.decode()).keys() == samples().keys()


def test_a_token_sees_them_if_its_scopes_allow(viewer):
    everything, secret = ApiToken.objects.create_token(user=viewer, name="prometheus", scopes=["read:*"])
    assert ask(secret=secret).status_code == 200
    _, narrow = ApiToken.objects.create_token(user=viewer, name="narrow", scopes=["read:data"])
    assert ask(secret=narrow).status_code == 403
    ApiToken.objects.filter(pk=everything.pk).update(expires_at=timezone.now() - timedelta(days=1))
    assert ask(secret=secret).status_code == 401
