"""Throttled logins: whose address counts, and what somebody sees who has to wait. django-axes counts."""

import ipaddress

from django.conf import settings
from django.shortcuts import render


def address_of(request) -> str | None:
    """Return the address that a request came from.

    Of ``X-Forwarded-For`` only as many addresses count, from the right, as there are proxies of our own (``PROXIES``):
    whoever sends the request can write all others.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = forwarded[-min(settings.PROXIES, len(forwarded))]
    try:
        return str(ipaddress.ip_address(address.strip()))
    except ValueError:
        return None


def locked_out(request, response, credentials):
    """Answer that there were too many attempts, and when to try again."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    answer = render(request, "locked_out.html", {"minutes": seconds // 60}, status=settings.AXES_HTTP_RESPONSE_CODE)
    answer["Retry-After"] = str(seconds)
    return answer
