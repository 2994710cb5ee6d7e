"""The front door: registers the admin of every model, nothing else."""

from .admins import (  # noqa: F401
    access,
    archive,
    copies,
    data,
    execution,
    failures,
    history,
    locations,
    observatory,
    planning,
    publications,
    reduction,
    transfer,
)
