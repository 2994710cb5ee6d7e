"""What a workflow raises. Every message says which row, why not, and what would be right."""


class OpsdbError(Exception):
    """Base of all errors of the workflows."""


class InvalidTransition(OpsdbError):
    """A row may not take this step from where it stands.

    Attributes:
        row: table and key of the row.
        field: the field that holds the state.
        before: the state it is in.
        after: the state that was asked for.
        allowed: the states that it could go to.
    """

    def __init__(self, row: str, field: str, before, after, allowed):
        self.row, self.field, self.before, self.after = row, field, before, after
        self.allowed = sorted(allowed, key=lambda state: state.order)
        could = ", ".join(self.allowed) or "nothing, it is final"
        super().__init__(f"{row}: {field} cannot go from {before} to {after}; it can become: {could}")


class NotFound(OpsdbError):
    """There is no such row."""


class Conflict(OpsdbError):
    """What is reported contradicts what is recorded; nothing was changed."""


class Refused(OpsdbError):
    """A rule holds this back; the message names the rule and the row."""


class LostClaim(OpsdbError):
    """The work is no longer this worker's: somebody reset it, or it was given to another."""
