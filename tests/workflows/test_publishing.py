"""How products become known, and the way from a publication to what was observed and back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.models import DataRelease, ExecutedObsUnit, Publication, PublicationStatus, RunStatus
from opsdb.testing.factories import (
    DataProductFactory,
    DataReleaseFactory,
    ExecutedReductionStepFactory,
    ObservingProgramFactory,
    PublicationFactory,
    RawDataPackageFactory,
)
from opsdb.workflows import (
    Conflict,
    NotFound,
    Refused,
    add_to_release,
    create_publication,
    create_release,
    link_publication,
    publish_publication,
    publish_release,
    supersede_product,
)
from tests.plans import planning_without
from tests.workflows.racing import race

pytestmark = pytest.mark.django_db


def made_of(*packages, products=()):
    """A product of a completed run that read these."""
    return DataProductFactory(
        run=ExecutedReductionStepFactory(completed=True, input_packages=packages, input_products=products)
    )


@pytest.fixture
def package():
    return RawDataPackageFactory()


@pytest.fixture
def product(package):
    return made_of(package)


# Releases


def test_a_doi_that_is_minted_after_the_release_is_public_is_added():
    release = publish_release(create_release("DR", version="1", products=[made_of(RawDataPackageFactory())]))
    assert (release.public, release.doi) == (True, "")
    assert publish_release(release, doi="10.5281/zenodo.1").doi == "10.5281/zenodo.1"
    assert publish_release(release).doi == "10.5281/zenodo.1"
    with pytest.raises(Conflict, match="has the DOI 10.5281/zenodo.1, not 10.5281/zenodo.2"):
        publish_release(release, doi="10.5281/zenodo.2")


def test_a_release_names_the_programs_of_its_products(package, product):
    release = create_release("DR", version="1", products=[product])
    assert not release.public
    assert list(release.products.all()) == [product]
    assert list(release.programs.all()) == [package.executed_obs_unit.obs_unit.observing_program]


def test_a_release_can_be_made_again_and_gets_what_is_missing(product):
    release = create_release("DR", version="1", products=[product], description="first")
    other = made_of(RawDataPackageFactory())
    assert create_release("DR", version="1", products=[product, other]) == release
    assert set(release.products.all()) == {product, other}
    assert release.programs.count() == 2
    with pytest.raises(Conflict, match=f"data_release {release.pk}: is recorded with description 'first'"):
        create_release("DR", version="1", description="second")


def test_a_published_release_stays_as_it_is(product):
    release = publish_release(create_release("DR", version="1", products=[product]), doi="10.5281/zenodo.1")
    assert (release.public, release.doi) == (True, "10.5281/zenodo.1")
    since = release.released_at
    assert publish_release(release).released_at == since
    assert add_to_release(release, products=[product]) == release
    with pytest.raises(Refused, match="make a new version"):
        add_to_release(release, products=[made_of(RawDataPackageFactory())])
    with pytest.raises(Conflict, match="has the DOI"):
        publish_release(release, doi="10.5281/zenodo.2")


def test_an_empty_release_is_not_published():
    with pytest.raises(Refused, match="has no products"):
        publish_release(create_release("DR", version="1"))


def test_a_product_of_a_run_that_has_not_ended_is_not_released(product):
    going = DataProductFactory(run=ExecutedReductionStepFactory(status=RunStatus.RUNNING))
    with pytest.raises(Refused, match=f"data_product {going.pk}: its run is running"):
        create_release("DR", version="1", products=[product, going])
    assert not DataRelease.objects.exists()
    with pytest.raises(Refused, match="its run is running"):
        create_publication(title="x", year=2026, products=[going])
    assert not Publication.objects.exists()


def test_a_replaced_product_is_neither_added_nor_published(product):
    release = create_release("DR", version="1", products=[product])
    new = made_of(RawDataPackageFactory())
    supersede_product(product, by=new)
    with pytest.raises(Refused, match=f"is superseded by data_product {new.pk}"):
        publish_release(release)
    with pytest.raises(Refused, match=f"is superseded by data_product {new.pk}"):
        create_release("DR", version="2", products=[product])


def test_what_can_not_be_is_refused(product):
    with pytest.raises(Refused, match="DOI"):
        create_release("DR", version="1", doi="zenodo")
    with pytest.raises(Refused, match="Year|year"):
        create_publication(title="x", year=1)
    with pytest.raises(NotFound):
        publish_release(DataRelease(pk=0))


@pytest.mark.django_db(transaction=True)
def test_two_people_who_make_the_same_release_make_one():
    product = made_of(RawDataPackageFactory())
    for number in range(10):
        outcomes = race(2, lambda _, number=number: create_release("DR", version=str(number), products=[product]))
        assert outcomes[0] == outcomes[1], outcomes
    assert DataRelease.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_release_that_another_makes_before_it_is_validated_is_the_one(monkeypatch):
    clean = DataRelease.full_clean

    def clean_later(release):
        monkeypatch.setattr(DataRelease, "full_clean", clean)
        with ThreadPoolExecutor(1) as other:
            other.submit(DataReleaseFactory, name="DR", version="1").result()
            other.submit(lambda: connections["default"].close())
        release.full_clean()

    monkeypatch.setattr(DataRelease, "full_clean", clean_later)
    assert create_release("DR", version="1") == DataRelease.objects.get()


# Publications


def test_a_publication_is_recorded_once(product):
    facts = {"title": "A map", "year": 2026, "doi": "10.1234/abc", "authors": ["Noether, E."]}
    publication = create_publication(**facts)
    assert create_publication(**facts, products=[product]) == publication
    assert list(publication.products.all()) == [product]
    assert publication.programs.count() == 1
    with pytest.raises(Conflict, match="is recorded with title 'A map'"):
        create_publication(**facts | {"title": "Another map"})
    assert create_publication(title="A map", year=2027) == create_publication(title="A map", year=2027)
    assert Publication.objects.count() == 2


def test_a_publication_appears_with_what_it_got():
    publication = PublicationFactory()
    publish_publication(publication, doi="10.1234/abc", bibcode="2026ApJ...999....1N", journal="ApJ")
    assert (publication.status, publication.journal) == (PublicationStatus.PUBLISHED, "ApJ")
    publish_publication(publication)
    assert publication.doi == "10.1234/abc"
    with pytest.raises(Conflict, match="has the doi"):
        publish_publication(publication, doi="10.1234/other")


def test_links_are_added_and_stay(product):
    publication, program = PublicationFactory(), ObservingProgramFactory()
    release = create_release("DR", version="1", products=[product])
    link_publication(publication, releases=[release], programs=[program])
    link_publication(publication, products=[product])
    assert list(publication.releases.all()) == [release]
    assert publication.programs.count() == 2


# There and back


@pytest.fixture
def ways():
    """Publications that reach the same observation by every way there is, and one that does not."""
    package = RawDataPackageFactory()
    direct = made_of(package)
    late = made_of(products=[made_of(products=[direct])])
    return package.executed_obs_unit, {
        "a product": PublicationFactory(products=[direct]),
        "a product of products": PublicationFactory(products=[late]),
        "a release": PublicationFactory(releases=[DataReleaseFactory(products=[direct])]),
        "a release of products of products": PublicationFactory(releases=[DataReleaseFactory(products=[late])]),
    }


def test_every_way_leads_from_a_publication_to_its_observations(ways):
    execution, publications = ways
    for way, publication in publications.items():
        assert list(publication.observations()) == [execution], way
    assert not PublicationFactory().observations().exists()


def test_every_way_leads_from_an_observation_to_its_publications(ways):
    execution, publications = ways
    unrelated = PublicationFactory(products=[made_of(RawDataPackageFactory())])
    assert set(Publication.objects.of_observation(execution)) == set(publications.values())
    other = unrelated.observations().get()
    assert list(Publication.objects.of_observation(other)) == [unrelated]


def test_both_ways_agree_for_any_net_of_products():
    packages = [RawDataPackageFactory() for _ in range(4)]
    layer = [made_of(package) for package in packages]
    layer += [made_of(packages[0], products=layer[1:3]), made_of(packages[3], packages[1])]
    layer += [made_of(products=layer[3:5])]
    publications = [PublicationFactory(products=[product]) for product in layer]
    publications += [PublicationFactory(releases=[DataReleaseFactory(products=layer[2:5])])]
    for execution in ExecutedObsUnit.objects.all():
        there = {paper.pk for paper in publications if paper.observations().filter(pk=execution.pk).exists()}
        assert set(Publication.objects.of_observation(execution).values_list("pk", flat=True)) == there


def test_a_publication_that_only_names_the_program_is_found_as_such(package):
    program = package.executed_obs_unit.obs_unit.observing_program
    publication = PublicationFactory(programs=[program])
    PublicationFactory(programs=[ObservingProgramFactory()])
    assert list(Publication.objects.of_program_of(package.executed_obs_unit)) == [publication]
    assert not Publication.objects.of_observation(package.executed_obs_unit).exists()


def test_products_of_each_other_end_the_walk(package):
    one, other = made_of(package), made_of()
    one.run.input_products.add(other)
    other.run.input_products.add(one)
    publication = PublicationFactory(products=[other])
    assert list(publication.observations()) == [package.executed_obs_unit]
    assert list(Publication.objects.of_observation(package.executed_obs_unit)) == [publication]


def test_both_ways_are_one_query_along_indexes(ways):
    execution, publications = ways
    for question in (
        publications["a release"].observations(),
        Publication.objects.of_observation(execution),
        publications["a release"].releases.get().observations(),
    ):
        with CaptureQueriesContext(connection) as queries:
            list(question)
        assert len(queries) == 1
        with planning_without("seqscan"):
            plan = question.explain()
        assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(
    "written", ["10.5281/ZENODO.abc1", "https://doi.org/10.5281/zenodo.ABC1", "DOI: 10.5281/zenodo.abc1"]
)
def test_a_doi_is_the_same_however_it_is_written(db, written):
    first = create_publication(title="A", year=2026, doi="10.5281/zenodo.ABC1")
    assert create_publication(title="A", year=2026, doi=written) == first
    release = create_release("maps", version="1", doi="10.5281/zenodo.ABC1")
    assert create_release("maps", version="1", doi=written) == release
    for model, facts in ((Publication, {"title": "B", "year": 2026}), (DataRelease, {"name": "B", "version": "1"})):
        with pytest.raises(IntegrityError, match="unique_doi"), transaction.atomic():
            model.objects.create(doi=written, **facts)
    assert Publication.objects.get(doi=written if written.endswith("ABC1") else "doi:10.5281/zenodo.ABC1") == first
