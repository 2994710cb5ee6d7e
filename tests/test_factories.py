"""Every model has one factory, and what it makes is valid."""

import pytest
from django.apps import apps

from opsdb.models.base import area_of
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES
from opsdb.testing.factories.base import OpsFactory

MODELS = [model for model in apps.get_app_config("opsdb").get_models() if model._meta.managed]
TRAITS = [(factory, trait) for factory in FACTORIES.values() for trait in factory._meta.parameters]


def concrete_factories(base=OpsFactory):
    for factory in base.__subclasses__():
        if not factory._meta.abstract:
            yield factory
        yield from concrete_factories(factory)


def test_every_model_has_exactly_one_factory():
    assert sorted(factory._meta.model.__name__ for factory in concrete_factories()) == sorted(
        model.__name__ for model in MODELS
    )
    assert set(FACTORIES) == set(MODELS)


def test_a_factory_is_named_after_its_model_and_lies_in_its_area():
    for model, factory in FACTORIES.items():
        assert factory.__name__ == f"{model.__name__}Factory"
        assert getattr(factories, factory.__name__) is factory
        assert factory.__module__.rpartition(".")[2] == area_of(model)


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_a_factory_makes_is_valid(model):
    row = FACTORIES[model]()
    row.full_clean()
    assert type(model._base_manager.get(pk=row.pk)) is model
    FACTORIES[model]().full_clean()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("factory", "trait"), TRAITS, ids=[f"{factory._meta.model.__name__}-{trait}" for factory, trait in TRAITS]
)
def test_what_a_trait_makes_is_valid(factory, trait):
    factory(**{trait: True}).full_clean()
