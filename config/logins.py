"""Throttled logins: the answer to a login that has to wait. django-axes counts."""

from django.conf import settings
from django.shortcuts import render


def locked_out(request, response, credentials):
    """Answer that there were too many attempts, and when to try again."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    answer = render(request, "locked_out.html", {"minutes": seconds // 60}, status=settings.AXES_HTTP_RESPONSE_CODE)
    answer["Retry-After"] = str(seconds)
    return answer
