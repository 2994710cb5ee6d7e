"""For the tests of projects that import ops-db; the extra ``testing`` installs what it needs.

* ``opsdb.testing.runner.OpsdbTestRunner``, as ``TEST_RUNNER``, or ``pytest_plugins = ["opsdb.testing.plugin"]`` in a
  ``conftest.py``: test databases that are copied from one that is migrated once, and that ``TransactionTestCase``,
  ``LiveServerTestCase`` and ``flush`` may empty.
* ``opsdb.testing.factories``: a row of every model.
* ``opsdb.testing.nights``: a night, from its plan to its archived data.
"""
