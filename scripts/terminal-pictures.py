"""Draw docs/pictures/doctor.svg and soak.svg: real runs of both commands on a simulated module."""

import io
import os
import re
from pathlib import Path

WIDTH = 100
PICTURES = Path(__file__).parent.parent / "docs" / "pictures"

# Set before the first import of the command, so that it writes as to a terminal.
os.environ.update(FORCE_COLOR="1", TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(WIDTH))
os.environ.pop("NO_COLOR", None)

from click.testing import CliRunner  # noqa: E402
from rich._export_format import CONSOLE_SVG_FORMAT  # noqa: E402

from simcom_mqtt import SimcomMqtt  # noqa: E402
from simcom_mqtt.cli.application import application  # noqa: E402
from simcom_mqtt.cli.output import ERRORS, OUTPUT  # noqa: E402
from simcom_mqtt.simulator import SimulatedModem  # noqa: E402

# Use local fonts: a page must show the picture without a request to another server.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    """Draw both pictures."""
    PICTURES.mkdir(exist_ok=True)
    with SimulatedModem(transport="tcp", imei="864598060000007") as module:
        with SimcomMqtt(module.port) as modem:
            modem.configure_ssl(0, cacert="factory-ca.pem")
            modem.command('AT+CCLK="80/01/06,00:00:42+00"')
        draw("doctor", "--device", module.port, status=1)
    draw("soak", "--device", "simulator", "--count", "500", "--qos", "1", status=0)


def draw(command: str, *options: str, status: int) -> None:
    """Run a command, and write its output into a picture of the same name."""
    OUTPUT.file, ERRORS.file, OUTPUT.record = io.StringIO(), io.StringIO(), True
    OUTPUT.print(f"[bold]$ simcom-mqtt {command} {' '.join(options)}[/]", highlight=False)
    result = CliRunner().invoke(application, [command, *options])
    if result.exit_code != status:
        raise SystemExit(f"{command} ended with status {result.exit_code}: {result.output}")
    picture = PICTURES / f"{command}.svg"
    OUTPUT.save_svg(str(picture), title="simcom-mqtt", code_format=FORMAT, unique_id=command)
    print(picture.relative_to(PICTURES.parent.parent))


if __name__ == "__main__":
    main()
