"""Actions on who may do what."""

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..kit.actions import Action


def _revoke(token, order):
    type(token).objects.filter(pk=token.pk, revoked_at__isnull=True).update(
        active=False, revoked_at=timezone.now(), revoked_by=order.user
    )


REVOKE = Action(
    name="revoke",
    label=_("Revoke"),
    about=_("Withdraws tokens for good: no program can use them any more."),
    run=_revoke,
    unless=lambda token: gettext("It is revoked already.") if token.revoked_at else "",
)
TOKEN_ACTIONS = (REVOKE,)
