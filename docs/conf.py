"""How Sphinx builds the site: ``make docs``."""

import os
import re
import sys
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from opsdb import __version__  # noqa: E402 - the app is ready only now
from opsdb.schema.reading import AREAS  # noqa: E402

project = "ops-db"
author = "ops-db developers"
version = release = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "tools.sphinx_reference"]
root_doc = "index"
source_suffix = {".md": "markdown", ".ipynb": "markdown"}  # what the extension makes of a notebook
exclude_patterns = ["_build", "_static"]
suppress_warnings = ["misc.highlighting_failure"]  # of examples that leave something out

# Pages are read in a viewer of repositories as well: links are relative, and headings have the names that GitHub gives.
myst_enable_extensions = []
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"ops-db {version}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_copyright = False
html_copy_source = False

# The table of contents: what no part names comes last, so that no page is left out.
reference_contents = {
    "index": {
        "Readers": ["for-operators", "for-astronomers", "for-developers", "for-administrators"],
        "Tutorials": ["tutorials/operator", "tutorials/developer", "tutorials/night"],
        "Concepts": ["concepts", "reference-data", "ccat-ops-db"],
        "Use": ["admin", "admin-actions", "formats/index", "notebooks", "notebook", "virtual-observatory"],
        "Reference": ["schema/index", "api/index", "configuration"],
        "Integration": ["integration", "filters", "access", "events", "sql", "testing"],
        "Operations": [
            "deployment",
            "runbook",
            "operations",
            "capacity",
            "databases",
            "metrics",
            "security",
            "troubleshooting",
        ],
        "Development": ["development", "supported-versions"],
    },
    "formats/index": {
        "Formats": [
            f"formats/{name}"
            for name in (
                "all",
                "allocations",
                "downtimes",
                "obs-units",
                "raw-files",
                "slots",
                "source-lists",
                "sources",
            )
        ],
    },
    "schema/index": {
        "Areas": [f"schema/{name}" for name in (*AREAS, "enumerations", "groupings")],
    },
    "api/index": {
        "Modules": [
            f"api/{name}"
            for name in ("models", "workflows", "loaders", "filters", "access", "events", "errors", "testing")
        ],
    },
}

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)\s]+)\)")


def name_files_outside(app, page: str, source: list[str]) -> None:
    """Replace links to files of the repository that are no pages of the site, such as the README, by their names."""
    folder = Path(app.srcdir, page).parent

    def named(link):
        target = (folder / link[2].partition("#")[0]).resolve()
        return link[0] if target.is_relative_to(app.srcdir) else f"{link[1]} (`{target.relative_to(ROOT)}`)"

    source[0] = LINK.sub(named, source[0])


def setup(app) -> None:
    """Register what this file adds to Sphinx."""
    app.connect("source-read", name_files_outside)
