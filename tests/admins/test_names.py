"""Rows are called in lists as people call them, without asking the database, and lists say what they have."""

import re

import pytest

from opsdb.admins.kit.names import NAMINGS, called, named, needed_by_name
from opsdb.models import ExecutedObsUnit, PhysicalCopy, RawDataPackage, Role, User
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES

from .pages import address


def loaded(row):
    """A row with all that its name needs."""
    return type(row)._default_manager.select_related(*needed_by_name(type(row))).get(pk=row.pk)


def text_of(browser, model, query=""):
    """What a list shows, and its markup."""
    html = browser.get(address(model, "changelist") + query).content.decode()
    table = html[html.index('id="result_list"') : html.index("</table>")]
    return re.sub("<[^>]*>", " ", table), table


@pytest.fixture
def package(db):
    return loaded(factories.RawDataPackageFactory(part=1))


def test_a_package_is_called_after_what_was_observed_when_and_by_which_module(package):
    execution = package.executed_obs_unit
    assert called(package) == (
        f"{execution.obs_unit} · {execution.start_time:%Y-%m-%d %H:%M} · {package.instrument_module}"
    )
    shown = named(package)
    assert f'title="{package.name}" data-copy="{package.name}"' in shown
    assert f'<span class="visually-hidden"> ({package.name})</span>' in shown


def test_a_location_is_called_with_its_site():
    place = factories.DiskDataLocationFactory.build(name="buffer", site=factories.SiteFactory.build(short_name="ccat"))
    assert called(place) == named(place) == "ccat/buffer"


def test_a_copy_is_called_after_what_it_is_of_and_where(db):
    copy = loaded(factories.PhysicalCopyFactory())
    place = copy.data_location
    assert called(copy) == f"{called(copy.raw_data_package)} @ {place.site}/{place}"
    assert f'title="copy {copy.pk}"' in named(copy)


@pytest.mark.parametrize("model", NAMINGS, ids=lambda model: model.__name__)
def test_a_name_asks_nothing_whatever_was_loaded(model, db, django_assert_num_queries):
    made = FACTORIES[model]()
    bare, whole = type(made)._default_manager.get(pk=made.pk), loaded(made)
    with django_assert_num_queries(0):
        assert called(bare) == named(bare) == str(bare)
        assert called(whole)
        assert named(whole)


def test_lists_call_rows_so(browser, package):
    text, table = text_of(browser, RawDataPackage)
    assert called(package) in text
    assert f'data-copy="{package.name}"' in table
    copy = loaded(factories.PhysicalCopyFactory(raw_data_package=package))
    assert called(copy) in text_of(browser, PhysicalCopy)[0]


def test_executions_show_program_source_and_instrument_and_are_narrowed_by_them(browser):
    execution, other = factories.ExecutedObsUnitFactory.create_batch(2, completed=True)
    configuration = factories.PrimeCamModuleConfigurationFactory()
    execution.module_configurations.add(configuration)
    unit, instrument = execution.obs_unit, configuration.instrument_module.instrument
    text, _table = text_of(browser, ExecutedObsUnit)
    for name in (str(unit.observing_program), str(unit.source), instrument.name):
        assert name in text
    for parameter, value in (
        ("obs_unit__observing_program__id__exact", unit.observing_program_id),
        ("obs_unit__source__id__exact", unit.source_id),
        ("module_configurations__instrument_module__instrument__id__exact", instrument.pk),
    ):
        response = browser.get(f"{address(ExecutedObsUnit, 'changelist')}?{parameter}={value}")
        assert [row.pk for row in response.context["cl"].result_list] == [execution.pk], parameter
    assert other.obs_unit.observing_program != unit.observing_program


def test_users_show_their_roles(browser):
    role = Role.objects.create(name="moon watchers")
    factories.UserFactory(username="ada").groups.add(role.group_ptr)
    assert re.search(r"ada\b.*?moon watchers", text_of(browser, User)[0], re.DOTALL)


def test_a_list_says_what_it_has_and_what_its_columns_mean(browser):
    factories.RawDataPackageFactory()
    html = browser.get(address(RawDataPackage, "changelist")).content.decode()
    assert "<p>A tar of the raw files that one module wrote in one observation, or of a part of them.</p>" in html
    columns = browser.get(address(RawDataPackage, "changelist")).context["columns"]
    meanings = {name: meaning for name, _title, meaning in columns}
    assert meanings["size_bytes"] == RawDataPackage._meta.get_field("size_bytes").help_text
    assert meanings["why"]
    titles = re.findall(r'<dt data-column="(\w+)">', html)
    headings = re.findall(r"<th[^>]*column-(\w+)", html)
    assert [name for name in headings if name in titles] == titles
