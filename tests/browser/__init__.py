import os
import shutil

# The shell is the same browser without windows of its own, which cost two thirds of the time.
KNOWN = ("chromium-headless-shell", "chromium", "google-chrome")
NAMES = [name] if (name := os.environ.get("CHROMIUM")) else KNOWN
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
NOT_RUN = "browser stories not run: no Chromium found; Debian: apt install chromium-headless-shell"
