import factory
from psycopg.pq import TransactionStatus

from opsdb.database.aliases import writing_connection
from opsdb.models import ChangeLog, ChangeOperation

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
        connection = writing_connection()
        # Nobody but the owner, who logged in, writes the history by hand.
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('role'), set_config('role', 'none', false)")
            [role, _] = cursor.fetchone()
            try:
                return super()._create(model_class, *args, **kwargs)
            finally:
                # A transaction that has failed takes the role back with all else.
                if connection.connection.info.transaction_status != TransactionStatus.INERROR:
                    cursor.execute("SELECT set_config('role', %s, false)", [role])
