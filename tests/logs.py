"""A watch over what is logged while tests run: nothing by which anybody gets in."""

import logging
import re

from opsdb import tokens

SECRETS = (
    tokens.WELL_FORMED,
    re.compile(r"\b(?:pbkdf2_sha\d+|argon2|bcrypt\w*|scrypt|md5)\$[^$\s]+\$"),
    re.compile(r"\bsessionid=[0-9a-z]{32}\b"),
)


class SecretsInLogs(logging.Handler):
    """Keeps the records that hold a secret."""

    def __init__(self):
        super().__init__()
        self.found = []

    def emit(self, record):
        text = record.getMessage()
        if any(pattern.search(text) for pattern in SECRETS):
            self.found.append(text)

    def taken(self):
        """Return what was found since the last time."""
        found, self.found = self.found, []
        return found
