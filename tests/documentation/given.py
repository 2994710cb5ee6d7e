"""What pages expect their readers to have: programs and objects of theirs, by page."""

from datetime import date

from django.contrib.auth import get_user_model
from django.db.models import Count
from django.http import HttpRequest


def a_request():
    """A request of an administrator."""
    request = HttpRequest()
    request.user = get_user_model().objects.get(username="admin")
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    return request


def access():
    """A project with users, and what a request brings."""
    from opsdb.models import ObsUnit

    request = a_request()
    return {"user": request.user, "request": request, "secret": "opsdb_x", "unit": ObsUnit.objects.first()}


def notebooks():
    """What a notebook has imported."""
    return {"date": date, "Count": Count}


def operations():
    """A request, and the models."""
    from opsdb.models import Instrument

    return {"request": a_request(), "Instrument": Instrument}


def metrics():
    """The URLs of a project."""
    from django.urls import path

    return {"urlpatterns": [], "path": path}


def databases():
    """The settings of a project."""
    return {"DATABASES": {"default": {}}, "PRIMARY": {}, "REPLICA": {}, "MIDDLEWARE": []}


def sql():
    """A base class of somebody's own."""
    from sqlalchemy.ext.automap import automap_base

    return {"Base": automap_base()}


GIVEN = {
    "docs/access.md": access,
    "docs/databases.md": databases,
    "docs/metrics.md": metrics,
    "docs/notebooks.md": notebooks,
    "docs/operations.md": operations,
    "docs/sql.md": sql,
}
