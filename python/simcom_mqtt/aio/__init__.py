"""The driver for asyncio: `SimcomMqtt` and `MqttClient` with the same methods and arguments, to be awaited.

    async with SimcomMqtt("/dev/ttyUSB2") as modem, await modem.connect("mqtt://host") as client:
        await client.subscribe("dut/#", qos=1)
        async for message in client.messages("dut/#"):
            await client.publish("answer", message.payload, qos=1)

Cancelling a call ends its wait, as Ctrl-C does in the blocking driver. A request of which nothing was written
is withdrawn; the module finishes any other. An object belongs to the event loop in which it was opened.
"""

from simcom_mqtt.aio.capture import Capture, Messages
from simcom_mqtt.aio.client import MqttClient
from simcom_mqtt.aio.modem import SimcomMqtt

__all__ = ["Capture", "Messages", "MqttClient", "SimcomMqtt"]
