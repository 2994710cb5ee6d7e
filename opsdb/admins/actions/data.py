"""Actions on packages."""

from opsdb.workflows import fail_bundling, fail_packaging, reset_bundling, reset_packaging

from .archive import REQUEST_STAGING
from .copies import REPAIR_PACKAGE
from .work import SETTLE, give_up_by, reset_by

TRANSFER_PACKAGE_ACTIONS = (reset_by(reset_bundling), give_up_by(fail_bundling), SETTLE)
PACKAGE_ACTIONS = (reset_by(reset_packaging), give_up_by(fail_packaging), SETTLE, REQUEST_STAGING, REPAIR_PACKAGE)
