"""Run the quickstart example on a simulated module and a local broker, or on a given module and broker.

`make demo` calls it.
"""

import argparse
import sys

from simcom_mqtt import SimcomError
from simcom_mqtt.demonstration import demonstrate


def main() -> None:
    """Run the demonstration; print an error in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", help="AT port of a real module; else one is simulated")
    parser.add_argument("--broker", help="URL of a broker that the module can reach; else one is started")
    parser.add_argument("--embedded", action="store_true", help="use amqtt, even with Mosquitto there")
    arguments = parser.parse_args()
    if arguments.port and not arguments.broker:
        sys.exit("a real module needs a broker that it can reach: add BROKER=mqtt://host[:port]")
    try:
        demonstrate(arguments.port, arguments.broker, embedded=arguments.embedded)
    except (SimcomError, RuntimeError, TimeoutError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
