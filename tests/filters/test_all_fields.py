"""Filter sets that other projects make of all fields of a model, whichever its columns are."""

import pytest
from django.apps import apps
from django_filters import FilterSet
from django_filters.filterset import filterset_factory
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.rest_framework import FilterSet as RestFilterSet

from opsdb.filters import RawDataFileFilterSet
from opsdb.models import ObservationConfiguration, RawDataFile


@pytest.mark.parametrize("base", [FilterSet, RestFilterSet])
@pytest.mark.parametrize("model", [*apps.get_app_config("opsdb").get_models()], ids=lambda model: model.__name__)
def test_can_be_made_of_every_model(model, base):
    filterset = filterset_factory(model, filterset=base, fields="__all__")
    assert list(filterset({}).qs[:2]) == list(model._default_manager.all()[:2])


def test_narrow_by_json():
    wanted = ObservationConfiguration.objects.first()
    ObservationConfiguration.objects.filter(pk=wanted.pk).update(parameters={"speed": 2})
    filterset = filterset_factory(ObservationConfiguration, fields="__all__")
    assert list(filterset({"parameters": '{"speed": 2}'}).qs) == [wanted]
    assert filterset({"parameters": '{"speed": '}).errors["parameters"]


class View:
    """What Django REST framework's backend looks at of a view."""

    filterset_class = RawDataFileFilterSet


class Request:
    def __init__(self, **parameters):
        self.query_params = parameters


def test_ours_serve_the_backend_of_rest_framework():
    file = RawDataFile.objects.first()
    rows = DjangoFilterBackend().filter_queryset(Request(checksum=file.checksum), RawDataFile.objects.all(), View)
    assert list(rows) == [file]
