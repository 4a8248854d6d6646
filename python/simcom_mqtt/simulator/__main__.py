"""`python -m simcom_mqtt.simulator`: a simulated module for other programs."""

import sys

from simcom_mqtt.install_command import install_command


def main() -> int:
    """Run a simulated module until Ctrl-C; return the exit status."""
    try:
        from .serving import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "paho":
            raise
        print(f"the simulated module needs paho-mqtt: {install_command('simulator')}", file=sys.stderr)  # noqa: T201
        return 1
    return serve(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
