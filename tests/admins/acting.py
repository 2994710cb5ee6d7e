"""What a person does with an action: looks, and confirms what was shown."""

from django.contrib import admin

from opsdb.admins.kit.actions import Action, OutcomeKind

from .pages import ADMINS, address

ACTIONS = [
    (model, action) for model, page in ADMINS.items() for action in (page.actions or ()) if isinstance(action, Action)
]


def id_of(case):
    return getattr(case, "name", None) or case.__name__


def look(client, model, name, *rows, stage="", **data):
    """Ask what an action would do to some rows."""
    keys = [str(row.pk) for row in rows]
    return client.post(
        address(model, "changelist"),
        {"action": name, admin.helpers.ACTION_CHECKBOX_NAME: keys, "opsdb_stage": stage, **data},
    )


def confirm(client, model, name, *rows, reason="because of the test", **data):
    """Look what an action would do, and then have it done."""
    page = look(client, model, name, *rows, stage="look" if set(data) - {"opsdb_from_row"} else "", **data)
    seen = page.context["digest"] if page.context else ""
    return look(client, model, name, *rows, stage="confirm", reason=reason, opsdb_digest=seen, **data)


def outcomes(page) -> dict:
    """The texts of a preview by kind and key of the row."""
    assert page.status_code == 200
    return {
        kind.name: {outcome.key: " ".join(outcome.texts) for outcome in group["outcomes"]}
        for group in page.context["groups"]
        for kind in [OutcomeKind(group["kind"])]
    }
