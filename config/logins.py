"""Throttled logins: the answer to a login that has to wait. django-axes counts."""

from axes.models import AccessAttempt
from django.conf import settings
from django.shortcuts import render


def locked_out(request, response, credentials):
    """Answer that there were too many attempts, and when to try again."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    answer = render(request, "locked_out.html", {"minutes": seconds // 60}, status=settings.AXES_HTTP_RESPONSE_CODE)
    answer["Retry-After"] = str(seconds)
    return answer


def counted_name(request, credentials):
    """Return the name that an attempt is counted by: as much as can be stored, which is more than any user's has."""
    name = (credentials or request.POST).get(settings.AXES_USERNAME_FORM_FIELD)
    return name and name[: AccessAttempt._meta.get_field("username").max_length]
