"""Users, roles and API tokens. Permissions are those of Django."""

from __future__ import annotations

import hmac
import ipaddress
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, GroupManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Expression, ExpressionWrapper, Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opsdb import tokens
from opsdb.database.checks import Unique, implies, json_list, json_list_of_text, json_object, matches, not_negative
from opsdb.database.functions import TokenIsUsable
from opsdb.database.triggers import Immutable, Trigger
from opsdb.permissions import covers, permissions_named

from .base import NumberedModel, OpsModelBase, OpsQuerySet
from .enums import ChangeLogging
from .managers import manager_of

__all__ = [
    "User",
    "Role",
    "ApiToken",
]

SCOPE = r"^(\*|[a-z]+):(\*|[a-z0-9_]+)$"


class User(AbstractUser, metaclass=OpsModelBase):
    """A person or a service that works with the database. A host project may bring its own user model."""

    change_logging = ChangeLogging.ALL
    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    password = models.CharField(max_length=128, help_text=_("Hash of the password, with its algorithm and parameters."))
    first_name = models.CharField(max_length=150, blank=True, default="", help_text=_("Given name."))
    last_name = models.CharField(max_length=150, blank=True, default="", help_text=_("Family name."))
    email = models.EmailField(blank=True, default="", help_text=_("Address for messages to the person."))
    last_login = models.DateTimeField(null=True, blank=True, help_text=_("When the person last signed in (UTC)."))
    date_joined = models.DateTimeField(default=timezone.now, help_text=_("When the account was made (UTC)."))
    github_login = models.CharField(
        max_length=39,
        blank=True,
        default="",
        help_text=_("Login at GitHub, by which the person signs in elsewhere."),
    )
    affiliation = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Institute that the person works at.")
    )
    preferences = models.JSONField(
        default=dict, blank=True, help_text=_("Settings of the user interface, a JSON object.")
    )

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"
        constraints = [
            Unique(
                "unique_github_login",
                "github_login",
                condition=~Q(github_login=""),
                message="Another user has this GitHub login; give the login of this person.",
            ),
            json_object("preferences"),
            # Programs sign in by tokens: no user of theirs gets into the admin.
            Trigger(
                "service_is_no_staff",
                "opsdb_staff_is_no_service",
                events='INSERT OR UPDATE OF "is_staff", "is_superuser"',
                when="NEW.is_staff OR NEW.is_superuser",
            ),
            Trigger("groups_keep_staff_from_service", "opsdb_service_is_no_staff", table="user_groups"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and give a new user without a password an unusable one: who signs in elsewhere has none."""
        if self._state.adding and not self.password:
            self.set_unusable_password()
        super().save(*args, **kwargs)


class Role(Group, metaclass=OpsModelBase):
    """A named set of permissions for one kind of user."""

    change_logging = ChangeLogging.ALL
    natural_key_fields = ("name",)

    group_ptr = models.OneToOneField(
        Group,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        db_column="id",
        help_text=_("Group that the role describes."),
    )
    description = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Tasks of the people who have the role.")
    )
    builtin = models.BooleanField(default=False, help_text=_("Whether initialization maintains the role."))

    objects = GroupManager()


class ApiTokenQuerySet(OpsQuerySet["ApiToken"]):
    def usable(self, now: datetime | None = None) -> Self:
        """Tokens of active users that are active, not revoked and not expired at ``now`` (default: this moment)."""
        return self.filter(self.usability(Now() if now is None else Value(now, output_field=models.DateTimeField())))

    def usability(self, moment: Expression) -> Expression:
        """Return the condition of :meth:`usable` at a moment, for other queries of tokens."""
        usable = Q(TokenIsUsable("active", "expires_at", "revoked_at", moment))
        return ExpressionWrapper(
            usable & Q(user__is_active=True) if _users_can_be_inactive() else usable, models.BooleanField()
        )

    def create_token(self, **fields: Any) -> tuple[ApiToken, str]:
        """Create a token and return it with its secret, which is stored nowhere and can't be shown again.

        Returns:
            The token, and the secret as text.
        """
        secret = tokens.new_secret()
        token = self.create(
            token_prefix=tokens.shown_part(secret),
            token_hash=tokens.hash_of(secret),
            pepper_fingerprint=tokens.fingerprint(),
            **fields,
        )
        return token, secret

    def with_secret(self, secret: str) -> Self:
        """The token of a secret, if there is one; :func:`opsdb.access.authenticate_token` checks if it may be used."""
        return self.filter(token_hash__in=tokens.hashes_of(secret)) if tokens.is_well_formed(secret) else self.none()

    def from_secret(self, secret: str) -> ApiToken | None:
        """Return the token of a secret, or None. :func:`opsdb.access.authenticate_token` checks if it may be used."""
        return self.with_secret(secret).first()

    def revoke(self) -> int:
        """Revoke these tokens for good, and return how many were not revoked before.

        The database records when, and the acting user as the one who did it.
        """
        return self.filter(revoked_at=None).update(active=False, revoked_at=Now())


class ApiToken(NumberedModel):
    """A secret by which a program acts for a user. Only an HMAC of the secret is stored.

    What it may do is limited by its scopes and by the permissions of its user.
    """

    # Written in batches by every server that checks tokens.
    columns_not_logged = ("usage_count", "last_used_at", "last_used_ip")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="api_tokens",
        help_text=_("User on whose behalf the token acts."),
    )
    name = models.CharField(max_length=100, help_text=_("Purpose of the token, unique for the user."))
    token_prefix = models.CharField(
        max_length=8, help_text=_("The 8 characters of the secret after opsdb_, to distinguish tokens.")
    )
    token_hash = models.CharField(
        max_length=64, unique=True, help_text=_("HMAC-SHA-256 of the secret under a pepper, hexadecimal.")
    )
    pepper_fingerprint = models.CharField(
        max_length=8,
        editable=False,
        help_text=_(
            "Fingerprint of the pepper of the HMAC; the token becomes invalid when the servers no longer have it."
        ),
    )
    scopes = models.JSONField(
        default=list,
        blank=True,
        help_text=_('Permissions of the user that the token carries: a JSON list of "action:resource", "*" for any.'),
    )
    active = models.BooleanField(default=True, help_text=_("Whether the token can be used."))
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the token expires (UTC); empty for never.")
    )
    usage_count = models.BigIntegerField(
        default=0, editable=False, help_text=_("Number of requests with the token, counted in batches.")
    )
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When the token was last used (UTC), recorded in batches.")
    )
    last_used_ip = models.GenericIPAddressField(
        null=True, blank=True, editable=False, help_text=_("Address of the last request with the token.")
    )
    allowed_networks = models.JSONField(
        default=list,
        blank=True,
        help_text=_('Networks from which the token can be used: a JSON list such as ["10.0.0.0/8"]; empty for any.'),
    )
    revoked_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the token was revoked (UTC), set by the database.")
    )
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Person who revoked the token: the acting user, set by the database."),
    )

    objects = manager_of(ApiTokenQuerySet)

    class Meta:
        verbose_name = _("API token")
        constraints = [
            Unique(
                "unique_name",
                "user",
                "name",
                message="The user has a token of this name; choose another.",
            ),
            matches("token_prefix", r"^.{8}$", "The prefix is 8 characters of the secret."),
            matches("token_hash", r"^[0-9a-f]{64}$", "The hash must be 64 lower-case hexadecimal digits."),
            matches("pepper_fingerprint", r"^[0-9a-f]{8}$", "The fingerprint must be 8 hexadecimal digits."),
            json_list("scopes"),
            json_list_of_text("scopes", SCOPE, "texts like read:observations or *:*"),
            json_list("allowed_networks"),
            json_list_of_text("allowed_networks", r"^[0-9a-fA-F:.]+(/[0-9]{1,3})?$", "networks like 10.0.0.0/8"),
            not_negative("usage_count"),
            implies(
                "revoked_not_active",
                Q(revoked_at__isnull=False),
                Q(active=False),
                "A revoked token is not active; set active to false.",
                "active",
            ),
            Immutable("user_id", "token_hash", "token_prefix", "pepper_fingerprint"),
            Trigger("revoked_in_person", "opsdb_revoke_in_person", events="INSERT OR UPDATE"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({tokens.PREFIX}{self.token_prefix}…)"

    def has_secret(self, secret: str) -> bool:
        """Return whether a text is the secret of this token; takes the same time whatever differs."""
        return any(hmac.compare_digest(self.token_hash, one) for one in tokens.hashes_of(secret))

    def clean(self) -> None:
        """Refuse scopes that name no permission, and values that are not networks."""
        scopes = self.scopes if isinstance(self.scopes, list) else []
        unknown = [scope for scope in scopes if not _names_something(scope)]
        if unknown:
            raise ValidationError({"scopes": f"No permission is named {', '.join(map(str, unknown))}."})
        try:
            [ipaddress.ip_network(network) for network in self.allowed_networks]
        except (TypeError, ValueError) as error:
            raise ValidationError({"allowed_networks": f"Not a list of networks: {error}."}) from error

    def is_valid(self, now: datetime | None = None, address: str | None = None) -> bool:
        """Return whether the token may be used.

        Args:
            now: the moment (default: this one).
            address: where the request comes from; needed when the token is bound to networks.
        """
        return self.is_usable(now) and self.may_come_from(address)

    def is_usable(self, now: datetime | None = None) -> bool:
        """Return whether the token is among :meth:`ApiTokenQuerySet.usable`."""
        return ApiToken.objects.usable(now).filter(pk=self.pk).exists()

    def may_come_from(self, address: str | None) -> bool:
        """Return whether the token may be used from an address; an IPv4 one may be written as IPv6 (``::ffff:…``)."""
        if not self.allowed_networks:
            return True
        try:
            source = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        source = getattr(source, "ipv4_mapped", None) or source
        return any(source in ipaddress.ip_network(network) for network in self.allowed_networks)

    def allows(self, action: str, resource: str) -> bool:
        """Return whether the scopes cover this action on this resource: all permissions that this names."""
        try:
            return all(covers(self.scopes, permission) for permission in permissions_named(f"{action}:{resource}"))
        except LookupError:
            return False


def _names_something(scope):
    try:
        return scope == "*:*" or bool(permissions_named(scope))
    except (AttributeError, LookupError):
        return False


def _users_can_be_inactive():
    user = ApiToken._meta.get_field("user").related_model
    return any(field.name == "is_active" for field in user._meta.concrete_fields)
