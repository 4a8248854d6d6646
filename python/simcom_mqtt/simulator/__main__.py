"""`python -m simcom_mqtt.simulator`: a simulated module for other programs."""

import sys

MISSING = "the simulated module needs paho-mqtt: pip install simcom-mqtt[simulator]"


def main() -> int:
    """Run a simulated module until Ctrl-C; return the exit status."""
    try:
        import paho.mqtt.client  # noqa: F401 - only to say in one line what is missing
    except ImportError:
        print(MISSING, file=sys.stderr)  # noqa: T201
        return 1
    from .serving import serve

    return serve(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
