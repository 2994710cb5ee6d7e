"""The schema's design, read from the data beside this module."""

from pathlib import Path

import yaml
from django.apps import apps

DESIGN = yaml.safe_load(Path(__file__).with_name("schema.yaml").read_text())
DESIGNED = {name: model for area in DESIGN["models"].values() for name, model in area.items()}

VIEWS = [model for model in apps.get_app_config("opsdb").get_models() if not model._meta.managed]
ALL_MODELS = [model for model in apps.get_app_config("opsdb").get_models() if model._meta.managed]
MODELS = [model for model in ALL_MODELS if not model._meta.proxy]
LINK_TABLES = [
    field.remote_field.through
    for model in MODELS
    for field in model._meta.local_many_to_many
    if field.remote_field.through._meta.auto_created
]


def name_of(model) -> str:
    """A parameter's id in the list of tests."""
    return getattr(model, "__name__", str(model))
