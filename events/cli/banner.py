"""Which cloud calls act on, said loudly: for every command that serves or works."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from events.cli.terminal import flask_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.cloud.settings import CloudSettings


def cloud_banner(settings: CloudSettings) -> Iterator[str]:
    """Yield the lines of the banner, for standard error."""
    if not settings.emulator:
        real = click.style(" REAL CLOUD ", fg="white", bg="red", bold=True)
        yield f"{real} calls act on project {settings.project_id} in {settings.region}."
        return
    where = "inside this process" if settings.emulator == "local" else f"at {settings.emulator}"
    yield f"{click.style(' EMULATOR ', fg='black', bg='yellow', bold=True)} nothing is real: the cloud is emulated {where}."
    own = os.environ.get("HUAWEICLOUD_SDK_AK", "")
    if own and own != settings.access_key:
        yield click.style("HUAWEICLOUD_SDK_AK is set, and these credentials are NOT used.", fg="yellow", bold=True)
        yield f"To act on the real cloud with them: HONGYAN_EMULATOR= {flask_command()} run"
