"""The program `python -m simcom_mqtt.simulator`."""

import argparse
import signal
import threading
from collections.abc import Sequence

from .mendable_faults import FAULTS
from .profiles import PROFILES
from .simulated_modem import SimulatedModem


def serve(arguments: Sequence[str]) -> int:
    """Print the port, serve until Ctrl-C or SIGTERM, and return the exit status."""
    options = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    try:
        modem = SimulatedModem(
            broker=options.broker,
            transport=None if options.tcp is None else "tcp",
            tcp_port=options.tcp or 0,
            profile=options.profile,
            baudrate=options.baudrate,
            seed=options.seed,
            imei=options.imei,
            faults=options.fault,
            road=options.road,
        )
    except (OSError, ValueError) as error:
        _parser().error(str(error))
    with modem:
        print(modem.port, flush=True)  # noqa: T201
        stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simcom_mqtt.simulator",
        description="A simulated SIM7672X module. Prints the port to open, then serves until Ctrl-C.",
    )
    parser.add_argument(
        "--broker",
        metavar="HOST:PORT",
        help="connect to this broker instead of the one in CONNECT",
    )
    parser.add_argument(
        "--tcp",
        metavar="PORT",
        type=int,
        help="serve raw TCP on 127.0.0.1 instead of a pseudo-terminal; 0: any port",
    )
    parser.add_argument(
        "--profile",
        default="sim767x",
        metavar="NAME",
        help=f"the firmware: {', '.join(PROFILES)} (default: sim767x)",
    )
    parser.add_argument(
        "--baudrate", metavar="BPS", type=int, help="pace both directions like a UART of that speed"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="send output in pieces of random length")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help=f"a state that a person can mend, several times if wanted: {', '.join(FAULTS)}",
    )
    parser.add_argument(
        "--road", metavar="FILE", help="a CSV file with positions, levels and cells, which the module follows"
    )
    parser.add_argument("--imei", help="15 digits (default: random)")
    return parser
