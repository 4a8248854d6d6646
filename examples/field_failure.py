"""Records a failure in the field, and replays it on the desk.

    python examples/field_failure.py --broker mqtt://broker.example.com --port /dev/ttyUSB2 --transcript f.txt
    python examples/field_failure.py --broker mqtt://broker.example.com --replay f.txt

The first command runs the script below on a module, and records everything that goes over the line, passwords
masked. The second runs the same script on the record, without module and broker, with the same failure.
"""

import argparse
import contextlib
import sys
from pathlib import Path

from simcom_mqtt import SimcomError, SimcomMqtt
from simcom_mqtt.simulator import Replay


def main() -> None:
    """Run the script on a module, or on a transcript of it."""
    parser = argparse.ArgumentParser(description="Record a failure, and play it back.")
    parser.add_argument("--broker", required=True, help="the same for both commands")
    parser.add_argument("--password", default="secret of unit 7", help="of the user unit7")
    parser.add_argument("--port", help="the module's AT port, as in /dev/ttyUSB2")
    parser.add_argument("--transcript", type=Path, help="the file that gets both directions")
    parser.add_argument("--replay", type=Path, help="a transcript to play back")
    arguments = parser.parse_args()
    if (arguments.port is None) == (arguments.replay is None):
        parser.error("name either --port or --replay")

    with contextlib.ExitStack() as stack:
        replay = stack.enter_context(Replay(arguments.replay)) if arguments.replay else None
        port = replay.port if replay else arguments.port
        try:
            with SimcomMqtt(port, transcript=arguments.transcript) as modem:
                script(modem, arguments.broker, arguments.password)
        except SimcomError as error:
            sys.stdout.write(f"{type(error).__name__}: {error}\n")
        else:
            sys.stdout.write("all is well\n")


def script(modem: SimcomMqtt, broker: str, password: str) -> None:
    """Publish as in the field."""
    with modem.connect(broker, client_id="field unit 7", username="unit7", password=password) as client:
        client.publish("units/7/state", "up", qos=1)


if __name__ == "__main__":
    main()
