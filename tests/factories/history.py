import factory

from opsdb.models import ChangeLog, ChangeOperation
from tests.databases import as_owner

from .base import OpsFactory


class ChangeLogFactory(OpsFactory):
    class Meta:
        model = ChangeLog

    table_name = "site"
    row_id = factory.Sequence(str)
    operation = ChangeOperation.UPDATE
    before = {"description": ""}
    after = {"description": "mountain"}
    database_user = "ops"
    transaction_id = factory.Sequence(int)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        # Nobody else writes the history by hand.
        with as_owner():
            return super()._create(model_class, *args, **kwargs)
