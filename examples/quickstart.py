"""Publishes and receives through the MQTT stack of a SIM7672X module: a will, a callback, ten publishes.

    python examples/quickstart.py --port /dev/ttyUSB2 --broker mqtt://broker.example.com

`make demo` runs it without hardware, on a simulated module.
"""

import argparse
import sys

from simcom_mqtt import Message, QoS, SimcomError, SimcomMqtt, Will

LEVELS: list[QoS] = [0, 1, 2]


def main() -> None:
    """Run on the module and the broker of the options."""
    parser = argparse.ArgumentParser(description="Publish and receive through a SIM7672X module.")
    parser.add_argument("--port", required=True, help="the module's AT port, as in /dev/ttyUSB2")
    parser.add_argument("--broker", required=True, help="a broker that the module can reach")
    arguments = parser.parse_args()
    run(arguments.port, arguments.broker)


def run(port: str, broker: str) -> None:
    """Connect, subscribe, publish ten messages and print those that come back."""
    with SimcomMqtt(port) as modem:
        module = modem.info()
        tell(f"module    {module.manufacturer} {module.model}, {module.revision}, on {modem.port}")
        quality = modem.signal_quality()
        tell(f"network   {modem.wait_for_network().operation}, {quality.rssi_dbm} dBm")

        base = f"simcom-mqtt/{module.imei}"
        will = Will(f"{base}/status", "gone without a word", qos=1)
        with modem.connect(broker, will=will) as client:
            tell(f"connected {broker} as client {client.index}, {client.client_id!r}")
            tell(f"will      {base}/status: 'gone without a word', should the connection break")

            client.subscribe(f"{base}/count/#", qos=2, callback=show)
            tell(f"subscribe {base}/count/#")

            with client.capture(f"{base}/count/#") as inbox:
                for number in range(10):
                    qos = LEVELS[number % 3]
                    tell(f"publish   {base}/count/{number} at QoS {qos}")
                    client.publish(f"{base}/count/{number}", f"message {number}", qos=qos)
                received = inbox.wait_count(10)

        tell(f"done      {len(received)} of 10 messages came back, after {modem.stats.commands} AT commands")


def show(message: Message) -> None:
    """Print a message; called on the callback thread for each message."""
    tell(f"received  {message.topic}: {message.text()!r}")


def tell(line: str) -> None:
    """Write a line at once: `print` writes the line feed separately, after another thread perhaps."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    try:
        main()
    except SimcomError as error:
        sys.exit(str(error))
