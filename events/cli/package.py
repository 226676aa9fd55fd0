"""`flask package`: the zip that AWS Lambda or FunctionGraph runs, for whoever deploys functions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from events.cli.terminal import clean, for_people, say, say_json, waiting, wrapped
from events.packaging import NotPackaged
from events.packaging.targets import ARCHITECTURES, FUNCTIONGRAPH, LAMBDA, MIB, PYTHONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.packaging.packing import Package, Plan
    from events.packaging.targets import Target

_EXAMPLE = """\b
Example:
  flask package lambda
  flask package functiongraph --extra crypto --include senders.toml
"""
_LABEL = 13


@click.group("package", short_help="Pack the functions for a serverless platform.", epilog=_EXAMPLE)
def command() -> None:
    """Make the zip that a serverless platform runs: the functions, the packages that they need, everything compiled.

    The same sources give the same bytes. An older zip of ours is replaced, any other file only with --force.
    """


def _command(target: Target, title: str) -> click.Command:
    """Return the command that packs for one platform."""
    told = f"Make the zip that {title} runs; configure {target.handler} as its handler."

    @click.command(target.name, help=told, short_help=f"Make the zip that {title} runs.")
    @click.option(
        "--python", type=click.Choice(PYTHONS), default=target.python, show_default=True, help="The platform's Python."
    )
    @click.option(
        "--architecture", type=click.Choice(list(ARCHITECTURES)), default=target.architecture, show_default=True
    )
    @click.option(
        "--output", type=click.Path(path_type=Path), default=target.output, show_default=True, help="Where to put it."
    )
    @click.option("--extra", "extras", multiple=True, help="An extra of pyproject.toml besides, as crypto.")
    @click.option("--include", multiple=True, help="A file of yours besides, as senders.toml; no secrets.")
    @click.option("--compile/--no-compile", default=True, help="Compile, with a Python of that version.")
    @click.option("--force", is_flag=True, help="Replace a file that is no zip of ours.")
    @click.option("--json", "as_json", is_flag=True, help="Write one line of JSON, as when piped.")
    def run(*, as_json: bool, **options: Any) -> None:
        packing = _packing()
        plan = packing.Plan(target, **options)
        try:
            with waiting(f"Packing for {title} ..."):
                package = packing.pack(plan, Path.cwd())
        except NotPackaged as error:
            raise click.ClickException("\n".join(map(clean, str(error).splitlines()))) from None
        if for_people(as_json=as_json):
            _show(plan, package)
        else:
            say_json({**_facts(plan), **asdict(package)})

    return run


def _packing() -> Any:
    """Return the module that packs. Raises click.ClickException without what it needs, which nobody but who deploys has to have."""
    try:
        from events.packaging import packing
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "packaging":
            raise
        raise click.ClickException("this needs the extra deploy: pip install '.[deploy]'") from None
    return packing


def _facts(plan: Plan) -> dict[str, Any]:
    target = plan.target
    return {
        "target": target.name,
        "output": str(plan.output),
        "handler": target.handler,
        "runtime": target.offered.get(plan.python),
        "python": plan.python,
        "architecture": plan.architecture,
        "compiled": plan.compile,
    }


def _show(plan: Plan, package: Package) -> None:
    say(click.style(f"✓ {clean(str(plan.output))}", fg="green", bold=True))
    for label, text in _rows(plan, package):
        first, *more = wrapped(clean(text), " " * _LABEL)
        for line in (click.style(f"  {label}".ljust(_LABEL), dim=True) + first[_LABEL:], *more):
            say(line)
    for warning in package.warnings:
        for line in wrapped(clean(warning), "  ! ", "    "):
            say(click.style(line, fg="yellow"))


def _rows(plan: Plan, package: Package) -> Iterator[tuple[str, str]]:
    target = plan.target
    yield "zip", f"{package.size / MIB:.2f} MiB, of {target.most_direct / MIB:.0f} in a direct upload"
    yield "unpacked", f"{package.unpacked / MIB:.2f} MiB, of {target.most_unpacked / MIB:.0f}"
    yield "files", f"{package.files}{', everything compiled' if plan.compile else ''}"
    yield "packages", ", ".join(f"{name} {version}" for name, version in package.packages.items())
    yield "sha256", package.sha256
    yield "runtime", f"{target.offered.get(plan.python, f'Python {plan.python}')}, {plan.architecture}"
    yield "handler", target.handler
    for name in package.senders:
        yield "senders", f"HONGYAN_SENDERS={target.folder}/{name}"


for _each, _title in ((LAMBDA, "AWS Lambda"), (FUNCTIONGRAPH, "FunctionGraph")):
    command.add_command(_command(_each, _title))
