"""Where a request comes from."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from django.http import HttpRequest

from opsdb import conf


def client_address(request: HttpRequest) -> str | None:
    """Return the address that a request came from, or None where it is no address.

    Of ``X-Forwarded-For`` only as many addresses count, from the right, as there are proxies of our own
    (``OPSDB_PROXIES``): the sender of the request can write all others.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if proxies := int(str(conf.get("OPSDB_PROXIES"))):
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = forwarded[-min(proxies, len(forwarded))]
    return normalized_address(address)


@lru_cache(maxsize=4096)
def normalized_address(text: str | None) -> str | None:
    """Return an address as PostgreSQL takes it, without the zone of a link-local one; None for what is no address."""
    try:
        return str(ipaddress.ip_address((text or "").strip().partition("%")[0]))
    except ValueError:
        return None
