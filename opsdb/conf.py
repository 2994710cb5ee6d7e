"""The app's own settings. A host project puts them into its Django settings; all begin with ``OPSDB_``."""

from django.conf import settings

# Name and default of every setting; another name that begins with OPSDB_ is refused by a system check.
DEFAULTS: dict[str, object] = {}


def get(name: str) -> object:
    """The value of a setting of ours: the project's, else the default."""
    return getattr(settings, name, DEFAULTS[name])
