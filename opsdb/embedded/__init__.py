"""A PostgreSQL server of the project's own, for when nobody has set up a database.

Use it as a database engine; the first connection starts the server::

    DATABASES = {"default": {"ENGINE": "opsdb.embedded", "NAME": "opsdb", "FOLDER": BASE_DIR / ".opsdb"}}

``python -m opsdb.embedded start|status|stop`` does the same by hand.
"""
