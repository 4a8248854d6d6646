"""`simcom-mqtt certs`: the certificate store of the module."""

from pathlib import Path

import click

from .device_options import Device, device_options
from .output import echo, echo_error, echo_json


@click.group(
    short_help="List, upload and delete stored certificates.",
    epilog="""\b
Examples:
  simcom-mqtt certs list
  simcom-mqtt certs upload ca.pem
  simcom-mqtt certs delete ca.pem""",
)
def certs() -> None:
    """List, upload and delete the files of the module's certificate store."""


@certs.command(
    "list",
    epilog="""\b
Example:
  simcom-mqtt certs list --json""",
)
@device_options
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_files(device: Device, as_json: bool) -> None:
    """Show the names of the stored files: AT+CCERTLIST."""
    with device.open() as modem:
        names = modem.certificates()
    if as_json:
        echo_json(names)
        return
    for name in names:
        echo(name)


@certs.command(
    epilog="""\b
Example:
  simcom-mqtt certs upload build/unit7-key.pem --name client-key.pem"""
)
@device_options
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="5-55 characters, ending in .pem or .der.  [default: the file's name]")
def upload(device: Device, file: Path, name: str | None) -> None:
    """Store a certificate or key of 1-10240 bytes on the module: AT+CCERTDOWN.

    A stored file of the same name is replaced. pub, sub and soak upload the files of --cafile, --cert and
    --key themselves; for a file that is stored already, give them module:NAME.
    """
    with device.open() as modem:
        modem.upload_certificate(
            name or file.name,
            file.read_bytes(),
            timeout=device.timeout_or(120.0),
        )
    echo_error(f"stored as {name or file.name}")


@certs.command(
    epilog="""\b
Example:
  simcom-mqtt certs delete client-key.pem"""
)
@device_options
@click.argument("name")
def delete(device: Device, name: str) -> None:
    """Remove a file from the module: AT+CCERTDELE."""
    with device.open() as modem:
        modem.delete_certificate(name)
    echo_error(f"deleted {name}")
