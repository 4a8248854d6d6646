"""Soaks the driver: messages both ways on several simulated modules while all kinds of faults are injected.

Prints the outcome of every message by the kind of fault that came before it. The exit status is 1 if a
message was lost without a report, or arrived twice without a reason.
"""

import argparse
import logging
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

from rig.broker import Broker, Observer, Sender
from rig.line_tap import Published
from rig.message_ids import MessageId
from rig.message_log import CountsByFault, FaultCounts, settle_outbound
from rig.station import Quota, Station
from rig.table import print_table

OBSERVED_WITHIN = 20.0
PROGRESS_EVERY = 30.0


def main() -> int:
    """Runs the stations, checks the message log and prints the table."""
    arguments = _arguments()
    logging.getLogger("simcom_mqtt").setLevel(logging.ERROR)  # the driver warns of each fault
    began = time.monotonic()
    problems: list[str] = []
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
        problems += _run(stations, began)
        rows = _settle(stations, observer, problems)
    for problem in problems[:50]:
        print(problem, file=sys.stderr)
    seconds = time.monotonic() - began
    print_table(rows, f"{arguments.modules} modules, {seconds:.0f} s, seed {arguments.seed}")
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000, help="each way, over all modules (200,000)")
    parser.add_argument(
        "--modules", type=int, default=4, help="simulated modules, each in a process of its own (4)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the faults and of the split of the output (1)"
    )
    parser.add_argument("--minutes", type=float, default=20, help="stop after this time at the latest (20)")
    parser.add_argument(
        "--messages-between-faults", type=int, default=330, help="of both directions, on one module (330)"
    )
    return parser.parse_args()


def _run(stations: list[Station], began: float) -> list[str]:
    """Runs until all stations have done their quota, or until Ctrl-C; returns the errors."""
    with ThreadPoolExecutor(len(stations)) as pool:
        running = [pool.submit(station.run) for station in stations]
        try:
            while wait(running, timeout=PROGRESS_EVERY).not_done:
                done = ", ".join(str(station) for station in stations)
                print(f"{time.monotonic() - began:.0f} s: {done}", file=sys.stderr)
        except KeyboardInterrupt:
            for station in stations:
                station.stop()
    return [f"a station failed: {error}" for finished in running if (error := finished.exception())]


def _settle(stations: list[Station], observer: Observer, problems: list[str]) -> CountsByFault:
    rows: CountsByFault = defaultdict(FaultCounts)
    published: dict[MessageId, list[Published]] = defaultdict(list)
    outcomes = [outcome for station in stations for outcome in station.outcomes]
    for station in stations:
        problems += station.problems
        for kind, row in station.rows.items():
            rows[kind] += row
        for publish in station.published:
            if publish.message_id is None:
                problems.append(f"sent by the module, but never published: {publish}")
            else:
                published[publish.message_id].append(publish)
    done = {outcome.message_id for outcome in outcomes if outcome.error is None and outcome.qos > 0}
    observer.wait_for(done, OBSERVED_WITHIN)
    problems += settle_outbound(outcomes, observer.seen, published, rows)
    problems += [f"seen, but never sent: {unexpected}" for unexpected in observer.unexpected]
    return rows


if __name__ == "__main__":
    sys.exit(main())
