"""An operation that migrations use; it stays as long as they do."""

from django.db.migrations.operations.base import Operation


class ChangeConstraints(Operation):
    """Add and remove many constraints, for which the models of the migration's state are made anew only once.

    Django makes them anew for each constraint, which takes most of the time of a migration with hundreds of them.

    Args:
        operations: ``AddConstraint`` and ``RemoveConstraint``, in their order.
    """

    def __init__(self, operations):
        self.operations = operations

    def deconstruct(self):
        return type(self).__qualname__, [self.operations], {}

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self):
        return f"Change {len(self.operations)} constraints"
