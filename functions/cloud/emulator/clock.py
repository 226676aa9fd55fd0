"""Times as the services write them, for every service; the seconds come from the emulator's own clock."""

from datetime import datetime, timezone


def utc_seconds(timestamp: float) -> str:
    """Write seconds since the epoch as APIG and VPCEP do: `2020-07-23T09:13:24Z`."""
    return datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_microseconds(timestamp: float) -> str:
    """Write seconds since the epoch as IAM does: `2020-01-04T09:05:22.701000Z`."""
    return datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
