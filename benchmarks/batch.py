"""A batch of SQS records against an emulated cloud that answers after a while: total time ÷ ideal, beside a peer.

    .venv/bin/python -m benchmarks.batch --records 1000 --delay-ms 50 --workers 32 --peer /path/to/python

The peer's interpreter needs aws-lambda-powertools, requests and marshmallow; it is never a dependency of this project. Ideal is
records x delay / workers. The cloud runs in a process of its own, and so does each measured run, after one record that pays for imports.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.cloud import cloud
from benchmarks.sqs import LISTENER

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Measure, and print one line of JSON per run and a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--delay-ms", type=float, default=50.0)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="the interpreter of the peer's environment")
    told = parser.parse_args()
    ideal = told.records * told.delay_ms / 1000 / told.workers
    with cloud(told.delay_ms / 1000) as url:
        size = {"RECORDS": str(told.records)}
        ours = {
            "HONGYAN_EMULATOR": url,
            "HONGYAN_POOL_SIZE": str(told.workers),
            "HONGYAN_OPERATION": "elb.list_members",
        }
        runs = [_run([sys.executable, "-m", "benchmarks.batch_ours"], {**ours, **size}) for _ in range(told.rounds)]
        peers = [_run([told.peer, "-m", "benchmarks.batch_peer"], {**_peers(url), **size})] if told.peer else []
    summary = {
        "records": told.records,
        "ideal_s": round(ideal, 3),
        "seconds": [round(run, 3) for run in runs],
        "ratio_to_ideal": round(statistics.median(runs) / ideal, 3),
        "peer_s": [round(run, 2) for run in peers],
        "peer_to_ours": round(statistics.median(peers) / statistics.median(runs), 1) if peers else None,
    }
    print(json.dumps(summary))  # noqa: T201 - its output


def _peers(url: str) -> dict[str, str]:
    """Return where the peer asks, and with whose token."""
    from functions.cloud.client import Client
    from functions.cloud.deadline import Deadline
    from functions.cloud.emulator.credentials import fake_credentials
    from functions.cloud.iam import fetch_token
    from functions.cloud.settings import CloudSettings

    fake = fake_credentials()
    user = {"username": fake.user, "password": fake.password, "domain_name": fake.domain}
    settings = CloudSettings(region=fake.region, project_id=fake.project_id, emulator=url, **user)
    token, _ = fetch_token(settings, Client(settings).transport, fake.project_id, Deadline.after(10))
    path = f"/v1.0/{fake.project_id}/elbaas/listeners/{LISTENER}/members?limit=10"
    return {"CLOUD_URL": url + path, "CLOUD_TOKEN": token}


def _run(command: list[str], environ: dict[str, str]) -> float:
    ran = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return float(ran.stderr.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
