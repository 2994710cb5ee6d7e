import factory

from opsdb.models import ChangeLog, ChangeOperation

from .base import OwnersFactory


class ChangeLogFactory(OwnersFactory):
    class Meta:
        model = ChangeLog

    table_name = "site"
    row_id = factory.Sequence(str)
    operation = ChangeOperation.UPDATE
    before = {"description": ""}
    after = {"description": "mountain"}
    database_user = "ops"
    transaction_id = factory.Sequence(int)
