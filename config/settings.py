"""Settings of the stand-alone project. docs/configuration.md has the table of the variables."""

import contextlib
import json
import os
import re
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from config import database
from opsdb import conf


def switch(text: str) -> bool:
    """Strict, because a misspelt `true` must not turn protection off."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError(f"must be true or false, not '{text}'")
    return words[text.lower()]


def whole(text: str, least: int = 1) -> int:
    """A whole number, from 1 as most numbers of ours are."""
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise ValueError(f"must be a whole number from {least}, not '{text}'")
    return int(text)


def whole_or_none(text: str) -> int:
    """A whole number from 0."""
    return whole(text, least=0)


def names(text: str) -> list[str]:
    """The items of a list with commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def mapping(text: str) -> dict[str, str]:
    """A JSON object of texts."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError('must be a JSON object of texts, such as {"team": "role"}')
    return value


def cookie_suffix(text: str) -> str:
    """A part of a cookie's name."""
    if not re.fullmatch(r"\w+", text, re.ASCII):
        raise ValueError(f"must be letters, digits and '_', not '{text}'")
    return text


READERS = {bool: switch, int: whole, tuple: names, dict: mapping}
# How to read each variable, and its default.
VARIABLES = {
    "DATABASE_URL": (str, ""),
    "OWNER_DATABASE_URL": (str, ""),
    "REPLICA_DATABASE_URLS": (mapping, {}),
    "DIRECT_DATABASE_URL": (str, ""),
    "TEST_DATABASE_URL": (str, ""),
    "EMBEDDED_ACCOUNT": (str, ""),
    "SECRET_KEY": (str, ""),
    "DEBUG": (switch, False),
    "HTTPS": (switch, None),
    "ALLOWED_HOSTS": (names, ["localhost", "127.0.0.1", "[::1]"]),
    "CSRF_TRUSTED_ORIGINS": (names, []),
    "COOKIE_SUFFIX": (cookie_suffix, ""),
    "LOGIN_ATTEMPTS": (whole, 5),
    "LOGIN_LOCKOUT_MINUTES": (whole, 15),
    # The app's own settings, each read as what its default is.
    **{name: (READERS.get(type(value), str), value) for name, value in conf.DEFAULTS.items()},
    "OPSDB_PROXIES": (whole_or_none, conf.DEFAULTS["OPSDB_PROXIES"]),
}

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_FOLDER = BASE_DIR / ".opsdb"


def variable(name: str):
    """A variable's value, also out of a file that NAME_FILE names, as container secrets come; empty is unset."""
    cast, default = VARIABLES[name]
    try:
        # From the mapping, because calling Env takes a secret that begins with $ for another variable's name.
        text = environ.FileAwareEnv.ENVIRON.get(name, "").strip()
        return cast(text) if text else default
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {error.filename} can't be read ({error.strerror})") from None
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} {error}") from None


def local_secret(path: Path) -> str:
    """The secret in a file; a random one is written, for the owner only, when there is none."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix="secret_key.") as new:
                new.write(secrets.token_urlsafe(50))
                new.flush()
                # Of two processes that get here at once the first wins, and no one reads half a secret.
                with contextlib.suppress(FileExistsError):
                    os.link(new.name, path)
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"Set SECRET_KEY: {path} can't be kept ({error.strerror})") from None


DEBUG = variable("DEBUG")
HTTPS = not DEBUG if variable("HTTPS") is None else variable("HTTPS")
DATABASE_URL = variable("DATABASE_URL")
SECRET_KEY = variable("SECRET_KEY")

OWNER_DATABASE_URL = variable("OWNER_DATABASE_URL")
DIRECT_DATABASE_URL = variable("DIRECT_DATABASE_URL")
if DATABASE_URL:
    DATABASES = {"default": database.from_url(DATABASE_URL)}
    if OWNER_DATABASE_URL:
        DATABASES["default"]["OWNER"] = database.owner_from_url(OWNER_DATABASE_URL, DATABASES["default"]["NAME"])
    if DIRECT_DATABASE_URL:
        DATABASES["default"]["DIRECT"] = database.direct_from_url(DIRECT_DATABASE_URL, DATABASES["default"]["NAME"])
elif OWNER_DATABASE_URL:
    raise ImproperlyConfigured(
        "OWNER_DATABASE_URL is set without DATABASE_URL: set that to the same database, with the application's role"
    )
else:
    DATABASES = {"default": database.embedded(LOCAL_FOLDER, variable("EMBEDDED_ACCOUNT"))}

REPLICA_DATABASE_URLS = variable("REPLICA_DATABASE_URLS")
for alias, url in REPLICA_DATABASE_URLS.items():
    if alias in DATABASES:
        raise ImproperlyConfigured(f"REPLICA_DATABASE_URLS must not name '{alias}', which is the primary")
    DATABASES[alias] = database.from_url(url, "REPLICA_DATABASE_URLS") | {"TEST": {"MIRROR": "default"}}
DATABASE_ROUTERS = ["opsdb.routers.PrimaryReplicaRouter"] if REPLICA_DATABASE_URLS else []

if not SECRET_KEY:
    if DATABASE_URL and not DEBUG:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to a long random text and keep it private; make one with"
            ' `python -c "import secrets; print(secrets.token_urlsafe(50))"`'
        )
    SECRET_KEY = local_secret(LOCAL_FOLDER / "secret_key")

ALLOWED_HOSTS = variable("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = variable("CSRF_TRUSTED_ORIGINS")
globals().update({name: variable(name) for name in conf.DEFAULTS})
OPSDB_REPLICAS = variable("OPSDB_REPLICAS") or tuple(REPLICA_DATABASE_URLS)

INSTALLED_APPS = [
    "opsdb",
    "django_filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.headers.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "opsdb.middleware.StatementTimeoutMiddleware",
    "opsdb.middleware.ReadYourWritesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "opsdb.middleware.AttributionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "opsdb.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
# Where a login leads whose address names another host.
LOGIN_REDIRECT_URL = "admin:index"

# Logins are throttled for a user from an address; wrong passwords from elsewhere lock no user out.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "opsdb.access.backends.PermissionNameBackend",
]
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = variable("LOGIN_ATTEMPTS")
AXES_COOLOFF_TIME = timedelta(minutes=variable("LOGIN_LOCKOUT_MINUTES"))
AXES_RESET_ON_SUCCESS = True
# Waiting is enough: what is tried meanwhile is refused, and does not make it longer.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "opsdb.access.addresses.client_address"
AXES_USERNAME_CALLABLE = "config.logins.counted_name"
AXES_LOCKOUT_CALLABLE = "config.logins.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

LANGUAGE_CODE = "en-gb"  # for the formats of dates
# Every text is English. A page would ask Django's British catalogue, which changes no word, hundreds of times.
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
# Files are served from where the apps keep them: there is no collectstatic step to forget.
WHITENOISE_USE_FINDERS = True

# Cookies belong to a host, whatever the port: sites at several ports of one need names of their own.
SESSION_COOKIE_NAME = f"sessionid{variable('COOKIE_SUFFIX')}"
CSRF_COOKIE_NAME = f"csrftoken{variable('COOKIE_SUFFIX')}"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
# Binding subdomains, and browsers' preload lists, is up to the owner of the domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Django's own would log nothing to the console with DEBUG off.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": [], "level": "INFO" if DEBUG else "WARNING"}},
}
