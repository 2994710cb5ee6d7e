"""Actions on packages."""

from opsdb.workflows import work

from .archive import REQUEST_STAGING
from .work import give_up_by, reset_by

TRANSFER_PACKAGE_ACTIONS = (reset_by(work.reset), give_up_by(work.fail))
PACKAGE_ACTIONS = (*TRANSFER_PACKAGE_ACTIONS, REQUEST_STAGING)
