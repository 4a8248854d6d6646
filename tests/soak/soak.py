"""Soaks the driver: messages both ways on several simulated modules while every kind of fault strikes them.

Prints what became of every message, by the kind of fault that came before it. The status is 1 if one was lost
without a report, or came twice without a reason.
"""

import argparse
import logging
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

from rig.broker import Broker, Observer, Sender
from rig.ledger import Row, Rows, settle_outbound
from rig.marks import Mark
from rig.station import Quota, Station
from rig.table import print_table
from rig.tap import Published

OBSERVED_WITHIN = 20.0
PROGRESS_EVERY = 30.0


def main() -> int:
    """Run the stations, settle the account, print it."""
    arguments = _arguments()
    logging.getLogger("simcom_mqtt").setLevel(logging.ERROR)  # it warns of each fault
    began = time.monotonic()
    complaints: list[str] = []
    with ExitStack() as stack:
        broker = stack.enter_context(Broker())
        observer = stack.enter_context(Observer(broker))
        sender = stack.enter_context(Sender(broker))
        quota = Quota(
            -(-arguments.messages // arguments.modules),
            arguments.messages_between_faults,
            began + arguments.minutes * 60,
        )
        stations = [
            stack.enter_context(Station(number, broker, sender, quota, arguments.seed + number))
            for number in range(arguments.modules)
        ]
        complaints += _run(stations, began)
        rows = _settle(stations, observer, complaints)
    for complaint in complaints[:50]:
        print(complaint, file=sys.stderr)
    seconds = time.monotonic() - began
    print_table(rows, f"{arguments.modules} modules, {seconds:.0f} s, seed {arguments.seed}")
    return 1 if complaints else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000, help="each way, over all modules (200,000)")
    parser.add_argument("--modules", type=int, default=4, help="simulated, each in a process of its own (4)")
    parser.add_argument("--seed", type=int, default=1, help="of faults, and of how output is split (1)")
    parser.add_argument("--minutes", type=float, default=20, help="stop then, whatever is left (20)")
    parser.add_argument(
        "--messages-between-faults", type=int, default=330, help="of both directions, on one module (330)"
    )
    return parser.parse_args()


def _run(stations: list[Station], began: float) -> list[str]:
    """Until all have done their quota, or Ctrl-C; returns what broke."""
    with ThreadPoolExecutor(len(stations)) as pool:
        running = [pool.submit(station.run) for station in stations]
        try:
            while wait(running, timeout=PROGRESS_EVERY).not_done:
                done = ", ".join(str(station) for station in stations)
                print(f"{time.monotonic() - began:.0f} s: {done}", file=sys.stderr)
        except KeyboardInterrupt:
            for station in stations:
                station.stop()
    return [f"broke off: {error}" for finished in running if (error := finished.exception())]


def _settle(stations: list[Station], observer: Observer, complaints: list[str]) -> Rows:
    rows: Rows = defaultdict(Row)
    published: dict[Mark, list[Published]] = defaultdict(list)
    outcomes = [outcome for station in stations for outcome in station.outcomes]
    for station in stations:
        complaints += station.complaints
        for kind, row in station.rows.items():
            rows[kind] += row
        for publish in station.published:
            if publish.mark is None:
                complaints.append(f"handed over by the module, and nobody published it: {publish}")
            else:
                published[publish.mark].append(publish)
    done = {outcome.mark for outcome in outcomes if outcome.error is None and outcome.qos > 0}
    observer.wait_for(done, OBSERVED_WITHIN)
    complaints += settle_outbound(outcomes, observer.seen, published, rows)
    complaints += [f"seen, and nobody sent it: {strange}" for strange in observer.strange]
    return rows


if __name__ == "__main__":
    sys.exit(main())
