"""The app's own settings. A host project puts them into its Django settings; all begin with ``OPSDB_``."""

from django.conf import settings

# Name and default of every setting; another name that begins with OPSDB_ is refused by a system check.
DEFAULTS: dict[str, object] = {
    # Whether this is a production system: `opsdb_init` then takes the real sites, and never drops data.
    "OPSDB_PRODUCTION": False,
    # The most that one raw data package holds, bytes.
    "OPSDB_MAX_PACKAGE_BYTES": 50 * 10**9,
    # The most that one bundle (transfer package) holds, bytes.
    "OPSDB_MAX_TRANSFER_PACKAGE_BYTES": 500 * 10**9,
    # The program that carries data where no route names one.
    "OPSDB_TRANSFER_METHOD": "bbcp",
    # How many verified archive copies make it safe to delete others; `opsdb_migrate` stores it in the database.
    "OPSDB_MIN_ARCHIVE_COPIES": 1,
    # The most copies that one request for deletion may hold.
    "OPSDB_DELETION_REQUEST_LIMIT": 1000,
    # The most that one statement of a web request may take, seconds; needs `StatementTimeoutMiddleware`.
    "OPSDB_STATEMENT_TIMEOUT_SECONDS": 30,
    # Seconds without a heartbeat after which work in progress counts as stalled.
    "OPSDB_STALLED_AFTER_SECONDS": 3600,
    # How many proxies stand in front, each of which adds an address to X-Forwarded-For.
    "OPSDB_PROXIES": 0,
    # Secrets that API tokens are hashed with, the one for new tokens first; Django's secret keys by default.
    "OPSDB_TOKEN_PEPPERS": (),
    # Seconds after which counted uses of API tokens are written.
    "OPSDB_TOKEN_USE_SECONDS": 60,
    # The role that members of a team have, by the team's name; see `opsdb.access.assign_roles`.
    "OPSDB_TEAM_ROLES": {},
    # The database that is written, and its streaming replicas, the first to be read first; see `opsdb.routers`.
    "OPSDB_PRIMARY": "default",
    "OPSDB_REPLICAS": (),
    # A replica that is further behind is not read, seconds.
    "OPSDB_REPLICA_MAX_LAG_SECONDS": 30,
    # Seconds after which a replica that was down or late is asked again.
    "OPSDB_REPLICA_RETRY_SECONDS": 10,
    # Where people read the folder `docs` of this version; pages of the admin link to it where it is set.
    "OPSDB_DOCUMENTATION_URL": "",
}


def get(name: str) -> object:
    """The value of a setting of ours: the project's, else the default."""
    return getattr(settings, name, DEFAULTS[name])
