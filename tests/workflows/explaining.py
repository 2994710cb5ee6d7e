"""Check explanations: who does what next, and that all of it can be translated."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from opsdb.workflows import (
    explain_row,
    list_queues,
)


def read_in_brackets(row):
    """Explain a row in a language that puts every text of it in brackets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translation._trans, "gettext", lambda text: f"⟦{text}⟧")
        patch.setattr(translation._trans, "ngettext", lambda one, many, number: f"⟦{one if number == 1 else many}⟧")
        explanation = explain_row(row)
        return [*explanation.why, explanation.next_step, explanation.who_in_words]


def outside_brackets(text):
    """Return what no bracket encloses."""
    while text != (text := re.sub("⟦[^⟦⟧]*⟧", "", text)):
        pass
    return text


def check(row, who, next_step, *words, state=None, done=False):
    """Explain a row, compare who does what next, and see that all of it can be translated."""
    explanation = explain_row(row)
    assert {outside_brackets(text) for text in read_in_brackets(row)} == {""}, explanation
    text = "; ".join(explanation.why)
    assert re.search(who, explanation.who), explanation
    assert next_step in explanation.next_step, explanation
    assert all(word in text for word in words), explanation
    assert explanation.done == done, explanation
    assert explanation.subject.endswith(str(row.pk))
    assert state is None or explanation.state == state, explanation
    if explanation.who.startswith("worker at queue "):
        name = explanation.who.removeprefix("worker at queue ").partition(" ")[0]
        assert name in {queue.name for queue in list_queues()}, explanation
    return explanation


def made_at(row, moment):
    """Make a row look as if it had been made at a time."""
    type(row).objects.filter(pk=row.pk).update(created_at=moment)


def stop_the_clock(model, **fields):
    """Make rows look as if their workers had stopped their heartbeats a day ago."""
    model.objects.update(**{name: timezone.now() - timedelta(days=1) for name in fields or {"heartbeat_at": 1}})
