"""`simcom-mqtt apn`: the operator's access point, and the PDP contexts."""

from contextlib import suppress
from typing import Literal

import click

from simcom_mqtt import CommandError, PdpContext, SimcomMqtt

from .device_options import Device, device_options
from .exit_codes import Failure
from .output import ask_secret, echo_json, echo_table
from .text import error_text


@click.command(
    short_help="Show or set the operator's access point.",
    epilog="""\b
Examples:
  simcom-mqtt apn
  simcom-mqtt apn internet
  simcom-mqtt apn iot.example.com --user unit7 --auth chap""",
)
@device_options
@click.argument("name", required=False)
@click.option("--context", type=click.IntRange(1, 24), default=1, show_default=True, help="MQTT uses 1.")
@click.option(
    "--type", "kind", type=click.Choice(["IP", "IPV6", "IPV4V6"]), default="IPV4V6", show_default=True
)
@click.option("--user", metavar="NAME", help="The password is asked for, or taken from $SIMCOM_APN_PASSWORD.")
@click.option("--password", envvar="SIMCOM_APN_PASSWORD", hidden=True)
@click.option("--auth", type=click.Choice(["none", "pap", "chap"]), help="How the password is sent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def apn(
    device: Device,
    name: str | None,
    context: int,
    kind: Literal["IP", "IPV6", "IPV4V6"],
    user: str | None,
    password: str | None,
    auth: Literal["none", "pap", "chap"] | None,
    as_json: bool,
) -> None:
    """Show the PDP contexts that carry data, or set the access point NAME and activate its context.

    By AT+CGDCONT, AT+CGAUTH, AT+CGACT and AT+CGPADDR. An empty NAME ('') lets the network choose. Setting the
    access point ends the connections of its context.
    """
    if name is None and (user or auth):
        raise click.UsageError("--user and --auth need the NAME of an access point")
    if user and password is None:
        password = ask_secret("Password of the access point")
    with device.open() as modem:
        if name is not None:
            modem.set_apn(
                name, context=context, type=kind, user=user, password=password if user else None, auth=auth
            )
            _activate(modem, context)
        contexts = modem.data_contexts()
    if as_json:
        echo_json([_as_json(each) for each in contexts])
        return
    rows = [
        (str(each.number), each.type, each.apn or "-", "yes" if each.is_active else "no", each.address or "-")
        for each in contexts
    ]
    echo_table(("context", "type", "APN", "active", "address"), rows)


def _activate(modem: SimcomMqtt, context: int) -> None:
    # An active context would keep the access point that it was activated with.
    with suppress(CommandError):
        modem.command(f"AT+CGACT=0,{context}")
    try:
        modem.command(f"AT+CGACT=1,{context}")
    except CommandError as error:
        raise Failure(
            f"the access point is stored, but its context cannot be activated: {error_text(error)}; "
            "`simcom-mqtt doctor` finds the cause"
        ) from None


def _as_json(context: PdpContext) -> dict[str, object]:
    return {
        "number": context.number,
        "type": context.type,
        "apn": context.apn,
        "active": context.is_active,
        "address": context.address,
    }
