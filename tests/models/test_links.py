"""What happened keeps its references."""

import pytest
from django.db.models import ProtectedError

from opsdb.testing.factories import ExecutedObsUnitModuleConfigurationFactory, ExecutedReductionStepInputProductFactory


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("link", "far_end"),
    [
        (ExecutedObsUnitModuleConfigurationFactory, "module_configuration"),
        (ExecutedReductionStepInputProductFactory, "data_product"),
    ],
)
def test_what_an_execution_or_a_run_used_cannot_be_deleted_from_under_it(link, far_end):
    row = link()
    with pytest.raises(ProtectedError):
        getattr(row, far_end).delete()
    assert type(row).objects.filter(pk=row.pk).exists()
