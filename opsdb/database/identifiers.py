"""Identifiers that can be made away from the database, at a telescope without a network."""

import sys
import uuid

if sys.version_info >= (3, 14):
    _uuid7 = uuid.uuid7
else:
    from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> uuid.UUID:
    """Return a new time-ordered UUID (version 7, RFC 9562 section 5.7).

    Rows born one after the other get neighbouring keys, which keeps a b-tree compact at 10^8 rows.
    Migrations name this function as the default of UUID keys, so it keeps its place and its meaning.
    """
    return _uuid7()
