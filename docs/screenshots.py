"""Make the screenshots of the documentation: python docs/screenshots.py

Loads the reference data and the sample schedule into a test database, serves the admin from it, and looks at it in a
real browser. Needs `pip install playwright` and a Chromium (Debian: `apt install chromium`) beside the project's own
requirements.
"""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEDULE = ROOT / "opsdb/reference/samples/fyst_timeline_2026-06-15.ecsv"
IMAGES = ROOT / "docs/images"
WIDTH, HEIGHT = 1400, 875
PAGES = {"admin.png": "/admin/opsdb/prescheduledslot/?o=1"}

sys.path.insert(0, str(ROOT))
# The database interface of the browser's driver runs an event loop in this thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"


def main():
    """Make every image anew."""
    import django

    django.setup()

    from django.conf import settings
    from django.core.management import call_command
    from django.test.utils import get_runner, setup_test_environment

    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        call_command("opsdb_init", verbosity=0)
        call_command("opsdb_load", "slots", str(SCHEDULE), "--program", "WFS", "--create-missing", verbosity=0)
        with_server(take)
    finally:
        runner.teardown_databases(databases)


def with_server(work):
    """Do the work while the admin is served; it gets the address and the cookie of a logged-in superuser."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test import Client
    from django.test.testcases import LiveServerThread

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("operator"))
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    try:
        name = settings.SESSION_COOKIE_NAME
        work(f"http://127.0.0.1:{server.port}", {"name": name, "value": client.cookies[name].value})
    finally:
        server.terminate()


def take(address, cookie):
    """Look at each page."""
    from playwright.sync_api import sync_playwright

    IMAGES.mkdir(exist_ok=True)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        context.add_cookies([{**cookie, "url": address}])
        # The whole width for the list.
        context.add_init_script("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
        page = context.new_page()
        for image, path in PAGES.items():
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=IMAGES / image)
            print(IMAGES / image)


if __name__ == "__main__":
    main()
