"""Imported before all models: an import without settings fails with what to do, and can then be repeated."""

import os

from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.exceptions import ImproperlyConfigured

if not settings.configured and not os.environ.get(ENVIRONMENT_VARIABLE):
    raise ImproperlyConfigured(
        "Django is not configured: call opsdb.setup() before the import, or set DJANGO_SETTINGS_MODULE in a project"
    )
