"""A PostgreSQL server of the project's own, for when no database is set up.

Use it as a database engine; the first connection starts the server::

    DATABASES = {"default": {"ENGINE": "opsdb.embedded", "NAME": "opsdb", "FOLDER": BASE_DIR / ".opsdb"}}

``python -m opsdb.embedded start|status|stop`` does the same by hand.
"""
