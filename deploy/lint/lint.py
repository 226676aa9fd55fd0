"""Lints template.yaml and what SAM makes of it, for `nox -s template`: needs no account and no network."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfnlint.api import lint
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Iterator

# What SAM takes from its surroundings; any will do, since nothing is deployed.
_REGION = "eu-central-1"
_UPLOADED = "s3://bucket/hongyan-lambda.zip"
_PARAMETERS = {"CloudRegion": "cn-north-4", "CloudProjectId": "0" * 32, "CloudSecret": "hongyan/cloud"}
_BROAD = ":iam::aws:policy/"


class _NoManagedPolicies:
    """Every function has a role of its own, so that no policy which AWS manages is asked for by its name."""

    def load(self) -> dict[str, str]:
        return {}


def main(path: str) -> int:
    """Lint a template, translate it as CloudFormation does, lint what comes of it; return 0 when all is well, else 1."""
    text = Path(path).read_text(encoding="utf-8")
    mistakes = list(_linted(path, text))
    if not mistakes:
        try:
            made = translated(text)
        except InvalidDocumentException as error:
            mistakes = [f"{path}: SAM refuses it: {cause.message}" for cause in error.causes]
        else:
            mistakes = [*_linted(f"{path}, translated", made), *_broad(path, made)]
    for mistake in mistakes:
        _say(mistake)
    if not mistakes:
        count = len(json.loads(made)["Resources"])
        _say(
            f"{path}: cfn-lint accepts it, SAM translates it, and cfn-lint accepts the {count} resources that come of it"
        )
    return 1 if mistakes else 0


def translated(text: str) -> str:
    """Return the plain CloudFormation (JSON) that SAM makes of a template. Raises InvalidDocumentException."""
    template = yaml_parse(text)
    template["Globals"]["Function"]["CodeUri"] = _UPLOADED  # As `sam package` leaves it.
    os.environ.setdefault("AWS_DEFAULT_REGION", _REGION)
    made: dict[str, Any] = transform(template, _PARAMETERS, _NoManagedPolicies())
    return json.dumps(made, indent=1, default=str)


def _linted(name: str, text: str) -> Iterator[str]:
    for found in lint(text, regions=[_REGION]):
        yield f"{name}:{found.linenumber}: {found.rule.id} {found.message}"


def _broad(path: str, made: str) -> Iterator[str]:
    if _BROAD in made:
        yield f"{path}: SAM gives a function a policy that AWS manages and that reaches every queue: give it a Role of its own"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "template.yaml"))
