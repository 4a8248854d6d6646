"""Refuses free-threaded builds of Python: the driver was never tried without the order that the GIL gives."""

import sys

if "free-threading" in sys.version:
    raise ImportError(
        "simcom-mqtt does not support free-threaded Python yet: use the ordinary build of this version "
        f"(python{sys.version_info.major}.{sys.version_info.minor} instead of "
        f"python{sys.version_info.major}.{sys.version_info.minor}t)",
        name="simcom_mqtt",
    )
