"""Django's settings, all from `panelry.settings`: an operator never edits this file."""

from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from panelry import settings as panelry_settings
from panelry.domain.vault import open_vault
from panelry.web.backoffice.appearance import UNFOLD as UNFOLD  # noqa: PLC0414 (Unfold reads it from here)

_settings = panelry_settings.load()
_vault = open_vault(_settings)
_here = Path(__file__).parent
_public = [host for host in _settings.hosts if host not in panelry_settings.DEFAULT_HOSTS]
# On a machine's own addresses and in development pages come over plain http; on a public name a proxy speaks https.
_https = bool(_public) and not _settings.development
_database = {key: str(value) for key, value in conninfo_to_dict(_settings.database_url or "").items()}

SECRET_KEY = _vault.derive_text("django")
DEBUG = False
ALLOWED_HOSTS = list(_settings.hosts)
PANELRY_CURRENCY = _settings.currency
PANELRY_IP_PER_MINUTE = _settings.ip_per_minute
PANELRY_WEBHOOK_TOTAL_SECONDS = _settings.webhook_total_seconds
PANELRY_UNKNOWN_REFUND_HOURS = _settings.unknown_refund_hours
PANELRY_DEVELOPMENT = _settings.development
ROOT_URLCONF = "panelry.web.urls"
AUTH_USER_MODEL = "schema.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("tr", "Türkçe"), ("ar", "العربية")]
LOCALE_PATHS = [_here / "locale"]
FORMAT_MODULE_PATH = "panelry.web.formats"
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_SECURE = _https

INSTALLED_APPS = [
    "panelry.schema",
    "panelry.web.branding.apps.BrandingConfig",
    "panelry.web.content",
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname", "panelry"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "OPTIONS": _database,
        "CONN_MAX_AGE": 0,  # connections are kept by the pool of `panelry.web.asgi`
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": not _settings.prepare,
    }
}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "panelry.web.static_files.StaticFiles",
    "django.middleware.gzip.GZipMiddleware",
    "panelry.web.headers.ContentSecurityPolicy",
    "panelry.web.languages.Languages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_here / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "panelry.web.brand.brand",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "panelry.web.words",
                "panelry.web.languages",
                "panelry.web.site.markup",
            ],
        },
    }
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [_here / "static"]
STORAGES = {"staticfiles": {"BACKEND": "panelry.web.static_files.VersionedFiles"}}
WHITENOISE_USE_FINDERS = True

SESSION_COOKIE_NAME = "panelry_session"
SESSION_COOKIE_AGE = 30 * 86_400
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
CSRF_TRUSTED_ORIGINS = [f"https://{'*' if host.startswith('.') else ''}{host}" for host in _public]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "panelry.web.sign_in.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by the operator
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # how long a password counts that was given for keys
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {} if _settings.limits else False
