"""Where a service of the cloud is reached: by service and region, with an override per service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
# The one region whose services have another top-level domain (official SDK, region files).
_DOMAINS = {"eu-west-101": "myhuaweicloud.eu"}
# The names under which this machine alone is meant.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def domain(region: str) -> str:
    """Return the domain that the names of a region's services end in, after the region itself."""
    return _DOMAINS.get(region, "myhuaweicloud.com")


def endpoint(service: str, region: str, environ: Mapping[str, str]) -> str:
    """Return the base URL of a service, without a trailing slash.

    The override has the official SDK's name: `HUAWEICLOUD_SDK_REGION_<SERVICE>_<REGION>`, as `HUAWEICLOUD_SDK_REGION_ELB_CN_NORTH_4`
    (and `HUAWEICLOUD_SDK_IAM_ENDPOINT`).
    """
    for name in _overrides(service, region):
        if value := _first(environ.get(name, "")):
            return checked(name, value)
    return f"https://{service}.{region}.{domain(region)}"


def check_region(region: str, environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a region that is not one, or an override that is not an https URL (http on loopback only)."""
    if region and not REGION.fullmatch(region):
        raise ConfigurationError("HUAWEICLOUD_SDK_REGION is not a region id like cn-north-4")
    for name, value in environ.items():
        if name.startswith("HUAWEICLOUD_SDK_REGION_") or name == "HUAWEICLOUD_SDK_IAM_ENDPOINT":
            _ = _first(value) and checked(name, _first(value))


def _first(value: str) -> str:
    """Return the first of an override's addresses; the official SDK takes several."""
    return value.split(",")[0].strip()


def checked(name: str, url: str) -> str:
    """Return a base URL from the setting `name` without its trailing slash, or raise ConfigurationError that says what is wrong."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{name} is not a URL: {error}") from None
    if parts.username is not None or parts.query or parts.fragment or not parts.hostname or parts.path not in ("", "/"):
        raise ConfigurationError(
            f"{name} must be a base URL like https://elb.example.com, without credentials, path or query"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ConfigurationError(f"{name} must start with https:// (http:// on loopback only)")
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine itself."""
    return urlsplit(url).hostname in LOOPBACK


def _overrides(service: str, region: str) -> tuple[str, ...]:
    regional = f"HUAWEICLOUD_SDK_REGION_{service}_{region}".replace("-", "_").upper()
    return (regional, "HUAWEICLOUD_SDK_IAM_ENDPOINT") if service == "iam" else (regional,)
