import os
import shutil

CHROMIUM = shutil.which(os.environ.get("CHROMIUM") or "chromium") or shutil.which("google-chrome")
NOT_RUN = "browser stories not run: no Chromium found; Debian: apt install chromium"
