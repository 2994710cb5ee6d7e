"""Keys as people and programs enter them: checked before they reach the database."""

from django.core.exceptions import ValidationError
from django.db.models import Model


def is_key(model: type[Model], text: str) -> bool:
    """Return whether a text can be the key of a row of a model."""
    key = model._meta.pk
    while key.is_relation:
        key = key.target_field
    try:
        key.run_validators(key.to_python(text))
    except (ValidationError, ValueError, OverflowError):
        return False
    return True
