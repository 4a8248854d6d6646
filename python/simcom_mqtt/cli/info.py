"""`simcom-mqtt info`: identity, SIM card, network and data contexts of the module."""

import click

from .device_options import Device, device_options
from .output import echo_fields, echo_json


@click.command(
    short_help="Show identity, SIM card, network and data contexts.",
    epilog="""\b
Examples:
  simcom-mqtt info --device /dev/ttyUSB2
  simcom-mqtt info --json | jq -r .imei""",
)
@device_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(device: Device, as_json: bool) -> None:
    """Show identity, SIM card, network and data contexts of the module.

    Reads AT+CGMI, CGMM, CGMR, CGSN, CPIN?, CICCID, CIMI, CREG?, CGREG?, CEREG?, COPS?, CSQ, CPSI?, CGACT?,
    CGDCONT? and CGPADDR.
    """
    with device.open() as modem:
        module, card, registration = modem.info(), modem.sim(), modem.registration()
        quality, cell = modem.signal_quality(), modem.cell()
        contexts, data_contexts = modem.pdp_contexts(), modem.data_contexts()
        port = modem.port
    active = next((context for context in data_contexts if context.is_active), None)
    if as_json:
        echo_json(
            {
                "port": port,
                "manufacturer": module.manufacturer,
                "model": module.model,
                "revision": module.revision,
                "imei": module.imei,
                "sim": card.state,
                "iccid": card.iccid,
                "imsi": card.imsi,
                "registration": registration.state,
                "operator": registration.operator,
                "rssi_dbm": quality.rssi_dbm,
                "mode": cell.mode,
                "operation": cell.operation,
                "mcc_mnc": cell.mcc_mnc,
                "band": cell.band,
                "cell_id": cell.cell_id,
                "rsrp_dbm": cell.rsrp_dbm,
                "rsrq_db": cell.rsrq_db,
                "sinr_db": cell.sinr_db,
                "pdp_contexts": {str(number): is_active for number, is_active in contexts.items()},
                "apn": active and active.apn,
                "address": active and active.address,
            }
        )
        return
    echo_fields(
        [
            ("port", port),
            ("manufacturer", module.manufacturer),
            ("model", module.model),
            ("revision", module.revision),
            ("IMEI", module.imei),
            ("SIM", card.state),
            ("ICCID", card.iccid),
            ("IMSI", card.imsi),
            ("registration", registration.state),
            ("operator", registration.operator or cell.mcc_mnc),
            ("signal", _with_unit(quality.rssi_dbm, "dBm")),
            ("network", f"{cell.mode}, {cell.operation}"),
            ("band", cell.band),
            ("cell", cell.cell_id),
            ("RSRP", _with_unit(cell.rsrp_dbm, "dBm")),
            ("RSRQ", _with_unit(cell.rsrq_db, "dB")),
            ("SINR", _with_unit(cell.sinr_db, "dB")),
            (
                "PDP active",
                ", ".join(str(number) for number, is_active in contexts.items() if is_active) or "none",
            ),
            ("APN", active and active.apn),
            ("address", active and active.address),
        ]
    )


def _with_unit(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value:g} {unit}"
