"""What each platform runs and allows: its Pythons, where it keeps code, its limits; and where that stands written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.packaging import Files

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
"""The Pythons that the project runs on."""

ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""How platforms call a processor, and how wheels and markers do."""

MIB = 1_048_576
_OLDEST_GLIBC = 17  # manylinux2014


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A platform.

    `offered`: its runtimes by Python, as `3.13`: how it calls them. `glibc`: the 2.<n> of its C library by Python, 17 where not listed.
    `folder`: where the zip's files are when they run. `handler`: what to configure, and `module` the file that must be there for it.
    `most_direct` and `most_unpacked` are bytes: of a zip that is uploaded as it is, and of what is in it.
    """

    name: str
    offered: Mapping[str, str]
    python: str
    architecture: str
    folder: str
    handler: str
    module: str
    most_direct: int
    most_unpacked: int
    beyond_direct: str
    glibc: Mapping[str, int] = field(default_factory=dict)
    files: Files = field(default_factory=dict)

    @property
    def output(self) -> str:
        """Where the zip is written when nothing else is said."""
        return f"dist/hongyan-{self.name}.zip"

    def platforms(self, python: str, architecture: str) -> list[str]:
        """Return the tags of wheels that run there, those that ask least of the system first: what is older runs on what is newer."""
        machine = ARCHITECTURES[architecture]
        newest = self.glibc.get(python, _OLDEST_GLIBC)
        newer = [f"manylinux_2_{minor}_{machine}" for minor in range(_OLDEST_GLIBC, newest + 1)]
        return [f"manylinux2014_{machine}", *newer]


# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html (runtimes and their systems), …/gettingstarted-limits.html (sizes).
# Amazon Linux 2023 has glibc 2.34, Amazon Linux 2 has 2.26.
LAMBDA = Target(
    name="lambda",
    offered={python: f"python{python}" for python in PYTHONS},
    python="3.13",
    architecture="arm64",
    folder="/var/task",
    handler="events.triggers.aws_lambda.handler",
    module="events/triggers/aws_lambda",
    most_direct=50 * MIB,
    most_unpacked=250 * MIB,
    beyond_direct="upload it through S3",
    glibc={"3.10": 26, "3.11": 26, "3.12": 34, "3.13": 34},
)

# https://support.huaweicloud.com/intl/en-us/usermanual-functiongraph/functiongraph_01_0151.html (runtimes),
# …/productdesc-functiongraph/functiongraph_01_0150.html (sizes). Which C library runs there is not documented: manylinux2014 asks for
# no more than every Linux since 2014 has.
FUNCTIONGRAPH = Target(
    name="functiongraph",
    offered={python: f"Python{python}" for python in ("3.10", "3.12")},
    python="3.12",
    architecture="x86_64",
    folder="/opt/function/code",
    handler="index.handler",
    module="events/triggers/functiongraph",
    most_direct=40 * MIB,
    most_unpacked=1500 * MIB,
    beyond_direct="upload it through OBS",
    files={"index.py": b"from events.triggers.functiongraph import handler  # noqa: F401 - what FunctionGraph calls\n"},
)
