"""Command line of the embedded server."""

import argparse
import os
import sys

from .server import EmbeddedError, Server


def main() -> None:
    """Start, show or stop (and remove) the embedded server of a folder."""
    parser = argparse.ArgumentParser(prog="python -m opsdb.embedded", description=main.__doc__)
    parser.add_argument("command", choices=["start", "status", "stop"], help="stop also removes all data")
    parser.add_argument("--keep", action="store_true", help="let stop leave the data for the next start")
    parser.add_argument("--folder", default=".opsdb", help="the project's local folder (default: %(default)s)")
    options = parser.parse_args()
    server = Server(options.folder, account=os.environ.get("EMBEDDED_ACCOUNT"))
    try:
        if options.command == "start":
            server.start()
        if options.command == "stop":
            done = "stopped" if options.keep else "stopped and removed"
            print(done if server.stop(keep=options.keep) else f"nothing to stop in {server.folder}")
        elif server.running():
            print(f"running in {server.home}; psql -h '{server.socket_folder}' -U opsdb opsdb")
        else:
            sys.exit("not running")
    except (EmbeddedError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
