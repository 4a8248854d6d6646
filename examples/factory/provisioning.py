"""Stores certificates on the module, each content once."""

from __future__ import annotations

import hashlib

from simcom_mqtt import SimcomMqtt


def provision(module: SimcomMqtt, role: str, pem: bytes) -> tuple[str, bool]:
    """Store a file under a name made from its content.

    Returns the name, and True if the file was uploaded: flash memory endures a limited number of writes.
    """
    name = f"{role}-{hashlib.sha256(pem).hexdigest()[:16]}.pem"
    if name in module.certificates():
        return name, False
    module.upload_certificate(name, pem)
    return name, True
