"""The project's settings for its tests: on TEST_DATABASE_URL or the embedded server, never on DATABASE_URL."""

import os

os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
for name in ("DATABASE_URL_FILE", "OWNER_DATABASE_URL", "OWNER_DATABASE_URL_FILE", "DIRECT_DATABASE_URL"):
    os.environ.pop(name, None)
os.environ["SECRET_KEY"] = "only-for-tests"
os.environ["HTTPS"] = "false"

from config.settings import *  # noqa: E402, F403
from config.settings import BASE_DIR, DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"] == "opsdb.embedded":
    # A server of their own, which need keep nothing, and is much faster for that.
    DATABASES["default"].update(
        FOLDER=BASE_DIR / os.environ.get("TESTS_SERVER", ".opsdb-tests"), DURABLE=False, USER="opsdb"
    )

# The owner logs in and acts as the application's role, so that a test can become the owner within a transaction.
APPLICATION_ROLE = "opsdb_app"
options = DATABASES["default"].setdefault("OPTIONS", {})
options["options"] = f"{options.get('options', '')} -c role={APPLICATION_ROLE}".strip()

# The real one is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
