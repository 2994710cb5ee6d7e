#!/usr/bin/env python3
"""Django's command line for the project in config/."""

import os
import sys


def main() -> None:
    """Run the command; a database or setting that is not as it must be gets one line instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    from config.database import explain, require_database

    try:
        # runserver looks at the database in a thread, whose errors can't be caught here; dbshell leaves it to psql.
        if sys.argv[1:2] in (["runserver"], ["dbshell"]):
            require_database()
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, DatabaseError) as error:
        message = explain(error)
        if message is None or "--traceback" in sys.argv:
            raise
        sys.exit(message)


if __name__ == "__main__":
    main()
