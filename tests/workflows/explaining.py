"""Check explanations: who does what next, and that all of it can be translated."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from opsdb.workflows import (
    explain_row,
    list_queues,
)


def read_in_brackets(thing):
    """Explain a thing in a language that puts every text of it in brackets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translation._trans, "gettext", lambda text: f"⟦{text}⟧")
        patch.setattr(translation._trans, "ngettext", lambda one, many, number: f"⟦{one if number == 1 else many}⟧")
        told = explain_row(thing)
        return [*told.why, told.next_step, told.who_in_words]


def outside_brackets(text):
    """Return what no bracket encloses."""
    while text != (text := re.sub("⟦[^⟦⟧]*⟧", "", text)):
        pass
    return text


def check(thing, who, next_step, *words, state=None, done=False):
    """Explain a thing, compare who does what next, and see that all of it can be translated."""
    told = explain_row(thing)
    assert {outside_brackets(text) for text in read_in_brackets(thing)} == {""}, told
    text = "; ".join(told.why)
    assert re.search(who, told.who), told
    assert next_step in told.next_step, told
    assert all(word in text for word in words), told
    assert told.done == done, told
    assert told.subject.endswith(str(thing.pk))
    assert state is None or told.state == state, told
    if told.who.startswith("worker at queue "):
        name = told.who.removeprefix("worker at queue ").partition(" ")[0]
        assert name in {queue.name for queue in list_queues()}, told
    return told


def stop_the_clock(model, **fields):
    """Make rows look as if their workers had stopped their heartbeats a day ago."""
    model.objects.update(**{name: timezone.now() - timedelta(days=1) for name in fields or {"heartbeat_at": 1}})
