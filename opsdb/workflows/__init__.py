"""How rows may change, and the questions that people ask: ``from opsdb.workflows import approve_deletion, …``.

This is the one front door. Modules are imported when one of their names is first used; the names are listed in
``__init__.pyi``, which type checkers read as well. Every error derives from :class:`OpsdbError`.

A stage is a module: ``observing``, ``registration``, ``packaging``, ``bundling``, ``transferring``, ``unpacking``,
``archiving``, ``staging``, ``planning`` (with ``versions``), ``runs`` (with ``run_inputs``), ``products``,
``publishing``; ``deletion`` (with ``deletion_requests``), ``fixity``, ``reconciliation``, ``repairing`` and
``restoring`` look after copies; ``room`` measures free space, ``acknowledging`` acknowledges failures.
``finding``, ``searching``, ``where``, ``journeys``, ``execution_data``, ``observing_progress``, ``location_stock``,
``explain``, ``overview``, ``failures``, ``traffic``, ``trends``, ``queues``, ``topology``, ``planning_warnings``,
``downtime_slots`` and ``free_time`` answer questions. Work that is claimed has the same functions for every kind:

================  ==================  =====================  ==================  ==============  ===============
work              claim               heartbeat              complete            fail            reset
================  ==================  =====================  ==================  ==============  ===============
package           claim_packaging     heartbeat_packaging    complete_packaging  fail_packaging  reset_packaging
bundle            claim_bundling      heartbeat_bundling     complete_bundling   fail_bundling   reset_bundling
transfer          claim_transfers     heartbeat_transfer     complete_transfer   fail_transfer   reset_transfer
unpacking         claim_unpacking     heartbeat_unpacking    complete_unpacking  fail_unpacking  reset_unpacking
archive transfer  claim_archive_transfers, then heartbeat_, complete_, fail_ and reset_archive_transfer
staging job       claim_staging       heartbeat_staging      complete_staging    fail_staging    reset_staging
run               claim_runs          none                   complete_run        fail_run        reset_run
deletion          claim_deletions     none                   complete_deletion   fail_deletion   reset_deletion
================  ==================  =====================  ==================  ==============  ===============

Runs and deletions have no heartbeat, because their tables have no column for one: a run belongs to the job of a
cluster, and a copy only records when its deletion was claimed.
"""

import ast
from importlib import import_module
from pathlib import Path


def _listed() -> dict[str, str]:
    """Return the module of every public name, from the stub beside this file, so that both always agree."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


_MODULE_OF = _listed()
__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
