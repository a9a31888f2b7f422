"""Starts the emulator: `python -m emulator [--port N] [--exit-with-parent]`."""

import argparse
import os


def main() -> None:
    """Reads the arguments, prints `ready <port>` and serves until it is stopped."""
    parser = argparse.ArgumentParser(prog="emulator", description="moto with the overlay of the integration tests")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0, the default, picks a free one")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the starting process is gone")
    arguments = parser.parse_args()

    # moto reads this while it is imported. AWS's own managed policies exist in every real account.
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    from . import server

    server.run(arguments.port, arguments.exit_with_parent)


main()
