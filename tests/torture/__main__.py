"""The crash test, for anyone who wonders what a kill costs: nothing is lost, nothing is done twice, on every transport.

    .venv/bin/python -m tests.torture [--transport sqlite] [--messages 2000] [--kills 50] [--seed 1]

Workers are real processes that are killed at random moments; the cloud is emulated and fails on a tenth of its calls; the sink refuses a
twentieth of the events; a twentieth of the messages are sent twice. What became of each message is then read off the cloud's journal, the
sink's log and the queue. Exits 1 unless every property holds. Redis and RabbitMQ are those of HONGYAN_TEST_REDIS and HONGYAN_TEST_AMQP.
"""

from __future__ import annotations

import argparse
import random
import sys

from events.cli.terminal import say
from tests.torture import table
from tests.torture.options import Options
from tests.torture.places import TRANSPORTS
from tests.torture.whole import torture


def main() -> int:
    """Run what the command line says, and return 1 when a property is broken."""
    given = _given()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    say(f"seed {seed}")
    options = Options(
        given.messages,
        given.kills,
        given.workers,
        seed,
        given.seconds,
        given.threads,
        not given.without_store,
        not given.without_deadly,
    )
    chosen = TRANSPORTS if given.transport == "all" else (given.transport,)
    verdicts = [torture(transport, options, lambda line: say(line, err=True)) for transport in chosen]
    say(table.table(verdicts))
    for verdict in verdicts:
        say(table.figures(verdict))
    broken = [line for verdict in verdicts for line in table.faults(verdict)]
    for line in broken:
        say(line, err=True)
    return 1 if broken else 0


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--transport", choices=(*TRANSPORTS, "all"), default="all")
    add("--messages", type=int, default=2000, metavar="N", help="different ones (2000)")
    add("--kills", type=int, default=50, metavar="N", help="SIGKILLs (50); some SIGTERMs come between them")
    add("--workers", type=int, default=3, metavar="N", help="processes at a time (3)")
    add("--threads", type=int, default=4, metavar="N", help="messages that each of them runs at once (4)")
    add("--seed", type=int, help="the same seed sends the same messages into the same faults")
    add("--seconds", type=float, default=300.0, help="after so many on a transport it has failed (300)")
    add("--without-deadly", action="store_true", help="send no message that kills whoever runs it: half a minute less")
    add("--without-store", action="store_true", help="remember nothing, to see that the test notices")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
