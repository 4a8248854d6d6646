"""`simcom-mqtt info`: the identity of the module, and its reception."""

import click

from .device_options import Device, device_options
from .output import echo_fields, echo_json


@click.command(
    short_help="Show identity and reception of the module.",
    epilog="""\b
Examples:
  simcom-mqtt info --device /dev/ttyUSB2
  simcom-mqtt info --json | jq -r .imei""",
)
@device_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(device: Device, as_json: bool) -> None:
    """Show identity and reception of the module.

    Reads AT+CGMI, CGMM, CGMR, CGSN, CSQ, CPSI? and CGACT?.
    """
    with device.open() as modem:
        module, quality, cell = modem.info(), modem.signal_quality(), modem.cell()
        contexts = modem.pdp_contexts()
        port = modem.port
    if as_json:
        echo_json(
            {
                "port": port,
                "manufacturer": module.manufacturer,
                "model": module.model,
                "revision": module.revision,
                "imei": module.imei,
                "rssi_dbm": quality.rssi_dbm,
                "mode": cell.mode,
                "operation": cell.operation,
                "mcc_mnc": cell.mcc_mnc,
                "band": cell.band,
                "cell_id": cell.cell_id,
                "rsrp_dbm": cell.rsrp_dbm,
                "rsrq_db": cell.rsrq_db,
                "pdp_contexts": {str(number): active for number, active in contexts.items()},
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
            ("signal", _with_unit(quality.rssi_dbm, "dBm")),
            ("network", f"{cell.mode}, {cell.operation}"),
            ("operator", cell.mcc_mnc),
            ("band", cell.band),
            ("cell", cell.cell_id),
            ("RSRP", _with_unit(cell.rsrp_dbm, "dBm")),
            ("RSRQ", _with_unit(cell.rsrq_db, "dB")),
            ("PDP active", ", ".join(str(number) for number, active in contexts.items() if active) or "none"),
        ]
    )


def _with_unit(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value:g} {unit}"
