"""How often tokens are used: counted in memory, written in batches."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass

from django.db import Error, connections, router, transaction

from opsdb import conf

from .addresses import normalized_address

logger = logging.getLogger(__name__)

# Locked in the order of keys, so that two servers that write at once do not wait for each other.
WRITE = """
WITH used AS (
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::inet[]) AS used (id, uses, age, ip)
), locked AS (
    SELECT api_token.id FROM api_token JOIN used USING (id) ORDER BY api_token.id FOR NO KEY UPDATE OF api_token
)
UPDATE api_token SET
    usage_count = usage_count + used.uses,
    last_used_ip = CASE
        WHEN last_used_at > statement_timestamp() - used.age * interval '1 s' THEN last_used_ip ELSE used.ip
    END,
    last_used_at = greatest(last_used_at, statement_timestamp() - used.age * interval '1 s')
FROM used JOIN locked USING (id) WHERE api_token.id = used.id
"""


@dataclass
class _Uses:
    number: int = 0
    last: float = 0.0  # time.monotonic()
    ip: str | None = None


class UseOfTokens:
    """Counts uses, and writes them some seconds after the first of a batch, and when the process ends.

    A process that is killed loses the uses of those seconds.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Discard what was counted and not written, as a forked process must."""
        self._lock = threading.Lock()
        self._uses: dict[int, _Uses] = {}
        self._timer: threading.Timer | None = None

    def discard(self) -> dict[int, _Uses]:
        """Count from 0 again, and return what was counted."""
        with self._lock:
            uses, self._uses = self._uses, {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        return uses

    def count(self, key: int, ip: str | None) -> None:
        """Count one use of a token.

        Args:
            key: key of the token.
            ip: where it was used from.
        """
        with self._lock:
            uses = self._uses.setdefault(key, _Uses())
            uses.number, uses.last, uses.ip = uses.number + 1, time.monotonic(), normalized_address(ip)
            if self._timer is None:
                self._timer = threading.Timer(float(str(conf.get("OPSDB_TOKEN_USE_SECONDS"))), self._write_in_time)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> int:
        """Write what was counted, by one statement, unless the database can only be read; return the number of uses."""
        from opsdb.models import ApiToken

        uses = self.discard()
        if not uses:
            return 0
        alias = router.db_for_write(ApiToken)
        now = time.monotonic()
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only')::boolean")
            if cursor.fetchone()[0]:
                logger.info("Uses of %d tokens are not recorded: the database can only be read", len(uses))
                return 0
            counted = list(uses.values())
            cursor.execute(
                WRITE,
                [
                    list(uses),
                    [one.number for one in counted],
                    [now - one.last for one in counted],
                    [one.ip for one in counted],
                ],
            )
        return sum(one.number for one in counted)

    def _write_in_time(self):
        """Write in a thread of its own, whose connection ends with it."""
        from opsdb.models import ApiToken

        try:
            self.write()
        except Error:
            logger.exception("Uses of tokens were not recorded")
        finally:
            connections[router.db_for_write(ApiToken)].close()

    def write_at_exit(self) -> None:
        """Write what is left when the process ends."""
        try:
            self.write()
        except Error:
            logger.exception("Uses of tokens were not recorded")


USE = UseOfTokens()
os.register_at_fork(after_in_child=USE.forget)
atexit.register(USE.write_at_exit)


def flush_token_use() -> int:
    """Write the uses of tokens that this process has counted, and return their number; 0 on a read-only replica.

    Processes do so by themselves about every ``OPSDB_TOKEN_USE_SECONDS``, and when they end.
    """
    return USE.write()
