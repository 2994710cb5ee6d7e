"""What is missing for data to flow stands where people set it up, with the link that adds it; capacities have units."""

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.models import DataTransferRoute, DiskDataLocation, LocationType, Site
from opsdb.testing import factories
from opsdb.workflows import validate_topology
from tests.admins.pages import address

from ..conftest import may_only
from .pages import page, read


@pytest.fixture
def site(db):
    """A site with an archive that nothing can reach."""
    site = factories.SiteFactory(short_name="kyoto")
    factories.DiskDataLocationFactory(site=site, name="archive", location_type=LocationType.LONG_TERM_ARCHIVE)
    return site


def link_to_add_a_buffer(site):
    return f"/admin/opsdb/datalocation/add/?location_type=buffer&site={site.pk}"


def test_it_stands_on_the_data_flow_the_dashboard_and_the_form_of_the_site_with_the_link_that_adds_it(browser, site):
    for url in (page("dataflow"), page("dashboard"), address(Site, "change", site)):
        found = read(browser.get(url))
        assert "nothing can arrive for its archive" in found.text, url
        assert link_to_add_a_buffer(site) in found.links, url
    subtypes = read(browser.get(link_to_add_a_buffer(site)))
    form = browser.get(next(link for link in subtypes.links if "diskdatalocation/add/?" in link)).content.decode()
    assert f'<option value="{site.pk}" selected>' in form and '<option value="buffer" selected>' in form


def test_the_form_of_a_location_has_what_concerns_it_alone(browser, site):
    archive = DiskDataLocation.objects.get(site=site)
    found = read(browser.get(address(DiskDataLocation, "change", archive)))
    assert "has no interval for fixity checks" in found.text
    assert "nothing can arrive for its archive" not in found.text
    archive.fixity_interval_days = 30
    archive.save()
    assert (
        "What is missing for data to flow" not in read(browser.get(address(DiskDataLocation, "change", archive))).text
    )


def test_who_may_not_add_gets_no_link_and_who_may_not_view_no_check(viewer, seeing, site):
    found = read(viewer.get(address(Site, "change", site)))
    assert "nothing can arrive" in found.text and link_to_add_a_buffer(site) not in found.links
    assert "nothing can arrive" not in read(seeing(Site).get(address(Site, "change", site))).text


def test_the_check_asks_a_fixed_number_of_queries(site):
    def number():
        with CaptureQueriesContext(connection) as queries:
            assert validate_topology()
        return len(queries)

    few = number()
    for _number in range(4):
        location = factories.DiskDataLocationFactory(location_type=LocationType.LONG_TERM_ARCHIVE)
        factories.DiskDataLocationFactory(site=location.site, location_type=LocationType.BUFFER)
        factories.DiskDataLocationFactory(location_type=LocationType.BUFFER)
        factories.DataTransferRouteFactory()
    assert number() == few


def test_a_capacity_is_typed_and_shown_with_its_unit(browser, site):
    archive = DiskDataLocation.objects.get(site=site)
    url = address(DiskDataLocation, "change", archive)
    data = browser.get(url).context["adminform"].form.initial | {"capacity_bytes": "500 TB"}
    data = {name: "" if value is None else value for name, value in data.items() if not isinstance(value, list)}
    answer = browser.post(url, data)
    assert answer.status_code == 302, answer.context["errors"]
    archive.refresh_from_db()
    assert archive.capacity_bytes == 5 * 10**14
    assert 'value="500 TB"' in browser.get(url).content.decode()
    answer = browser.post(url, data | {"capacity_bytes": "500 TX"})
    assert "“500 TX” is no size" in answer.content.decode()


def test_a_site_is_added_with_its_places_and_routes_in_one_form(browser):
    other = factories.SiteFactory()
    form = browser.get(address(Site, "add"))
    prefixes = {one.formset.prefix: one.formset.model for one in form.context["inline_admin_formsets"]}
    places = next(prefix for prefix, model in prefixes.items() if model is DiskDataLocation)
    routes = [prefix for prefix in prefixes if prefix != places]
    data = {"name": "Kyoto University", "short_name": "kyoto", "location": "", "description": ""}
    rows = {
        places: [
            {"name": "buffer", "location_type": "buffer", "path": "/data/in", "capacity_bytes": "500 TB"},
            {"name": "archive", "location_type": "long_term_archive", "path": "/data/keep"},
        ],
        routes[0]: [
            {"name": "to kyoto", "origin_site": other.pk, "route_type": "direct", "method": "bbcp", "priority": "0"}
        ],
        routes[1]: [],
    }
    for prefix, typed in rows.items():
        data |= {f"{prefix}-TOTAL_FORMS": len(typed), f"{prefix}-INITIAL_FORMS": 0}
        for number, row in enumerate(typed):
            data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    answer = browser.post(address(Site, "add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    site = Site.objects.get(short_name="kyoto")
    found = {place.name: (place.location_type, place.capacity_bytes) for place in site.data_locations.all()}
    assert found == {"buffer": ("buffer", 5 * 10**14), "archive": ("long_term_archive", None)}
    assert [route.origin_site for route in DataTransferRoute.objects.filter(destination_site=site)] == [other]


def test_a_site_is_not_added_without_what_was_typed_for_it(browser):
    form = browser.get(address(Site, "add"))
    places = next(
        one.formset.prefix for one in form.context["inline_admin_formsets"] if one.formset.model is DiskDataLocation
    )
    data = {"name": "Kyoto University", "short_name": "kyoto", f"{places}-TOTAL_FORMS": 1, f"{places}-INITIAL_FORMS": 0}
    for one in form.context["inline_admin_formsets"]:
        if one.formset.prefix != places:
            data |= {f"{one.formset.prefix}-TOTAL_FORMS": 0, f"{one.formset.prefix}-INITIAL_FORMS": 0}
    data |= {f"{places}-0-name": "in", f"{places}-0-location_type": "buffer", f"{places}-0-path": "not absolute"}
    assert "must be absolute" in browser.post(address(Site, "add"), data).content.decode()
    assert not Site.objects.filter(short_name="kyoto").exists()


def add_site(client, **more):
    """Add a site with an archive alone by its form, and return what is said."""
    form = {"short_name": "nagoya", "name": "Nagoya", **more}
    for part in client.get(address(Site, "add")).context["inline_admin_formsets"]:
        prefix = part.formset.prefix
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
        if part.opts.model is DiskDataLocation:
            form[f"{prefix}-TOTAL_FORMS"] = 1
            form |= {f"{prefix}-0-name": "archive", f"{prefix}-0-location_type": "long_term_archive"}
            form |= {f"{prefix}-0-path": "/archive"}
    answer = client.post(address(Site, "add"), form)
    assert answer.status_code == (200 if "_popup" in more else 302), answer.context["errors"]
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.mark.parametrize("button", ["_save", "_continue", "_addanother"])
def test_after_adding_a_site_it_is_said_what_it_lacks_with_the_link(browser, button):
    _added, lacking = add_site(browser, **{button: "1"})
    site = Site.objects.get(short_name="nagoya")
    assert lacking.startswith("Missing for data to flow – site nagoya: has a long-term archive location and no active")
    assert re.search("; and [0-9]+ more problems[.] <a", lacking)
    url = f"{address(Site, 'change', site)}#topology"
    assert f'<a href="{url}">What is missing, and what to do</a>' in lacking
    assert '<h2 id="topology">' in browser.get(url).content.decode()


def test_a_popup_and_who_may_not_see_the_check_are_told_nothing(browser):
    assert not [said for said in add_site(browser, _popup="1") if "Missing" in said]
    said = add_site(may_only(Site), short_name="osaka", name="Osaka")
    assert said and not [one for one in said if "Missing" in one]
