"""The folder is the registry: names without importing, one import for one operation, a hint for any other name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import missing

import functions
from functions.cloud.errors import UnknownOperation
from functions.registry import Function, Partial, find, function, names, operation
from schemas.answers import Result
from schemas.fields import PathId, Payload, ProjectId
from tests.schemas.support import patient

FOLDER = Path(functions.__file__).parent
OPERATIONS = [
    "apig.add_members",
    "csbs.check_restorable",
    "elb.list_members",
    "vpcep.update_connection_descriptions",
]


def imported(code: str) -> set[str]:
    """Run `code` in a new process of this folder and return the names of the modules that it has imported."""
    run = [sys.executable, "-W", "error", "-c", f"{code}\nimport sys, json; print(json.dumps(list(sys.modules)))"]
    told = subprocess.run(run, cwd=FOLDER.parent, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(told.stdout))


def test_names_are_the_files_of_the_folder() -> None:
    files = [path.stem for path in FOLDER.glob("*_*.py") if path.stem != "__init__"]
    assert names() == sorted(operation(file) for file in files)
    assert set(OPERATIONS) <= set(names())


def test_names_are_told_without_importing_any_operation() -> None:
    modules = imported("from functions.registry import names; names()")
    assert not {name for name in modules if name.startswith("functions.") and "_" in name}
    assert not {name for name in modules if name.partition(".")[0] in ("schemas", "marshmallow", "requests", "flask")}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_found_and_no_other_imported(name: str) -> None:
    modules = imported(f"from functions.registry import find; assert find({name!r}).name == {name!r}")
    service = name.partition(".")[0]
    ours = {module for module in modules if module.startswith("functions.") and "_" in module}
    assert ours == {f"functions.{name.replace('.', '_', 1)}"}
    assert not {f"schemas.{other}" for other in ("elb", "apig", "csbs", "vpcep") if other != service} & modules
    assert not {"flask", "werkzeug", "click", "requests", "events"} & modules


@pytest.mark.parametrize("name", names())
def test_every_operation_is_complete(name: str) -> None:
    found = find(name)
    assert isinstance(found, Function)
    assert found is find(name)
    assert found.name == name
    assert isinstance(found.payload, Payload)
    assert isinstance(found.result, Result)
    assert found.summary == found.summary.strip()
    assert len(found.summary) > 10
    assert found.summary[0].isupper()
    assert found.summary[-1] in ".?"


@pytest.mark.parametrize("name", names())
def test_every_operation_names_where_its_facts_are_from(name: str) -> None:
    assert "Source: " in (find(name).call.__doc__ or "")


@pytest.mark.parametrize("name", names())
def test_a_subject_is_made_of_what_every_payload_has(name: str) -> None:
    found = find(name)
    used = [part for _, part, _, _ in Formatter().parse(found.subject) if part is not None]
    assert used
    for part in used:
        field = found.payload.fields[part]
        assert field.required or field.load_default is not missing


@pytest.mark.parametrize("name", names())
def test_every_payload_may_name_its_project_and_has_ids_that_a_path_can_hold(name: str) -> None:
    fields = find(name).payload.fields
    assert isinstance(fields["project_id"], ProjectId)
    assert not fields["project_id"].required
    assert any(isinstance(field, PathId) for field in fields.values())


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../elb.list_members",
        "registry",
        "registry.",
        ".registry",
        "cloud.client",
        "cloud",
        "functions.elb_list_members",
        "elb",
        "elb.",
        "elb_list_members",
        "elb_list.members",
        "elb.list.members",
        "elb.list_members.x",
        "elb.list_members ",
        "elb.list_members\n",
        "elb.list_members\x00",
        "elb.list_members.py",
        "ELB.list_members",
        "elb.list_memberś",
        "\ud800.a",
        "__init__",
        "._init__",
        "a" * (1 << 20),
        "elb." + "a" * (1 << 20),
        "." * (1 << 20),
    ],
    ids=lambda name: name[:20] if name.isprintable() else ascii(name[:20]),
)
def test_any_other_name_is_unknown_and_gets_a_hint(name: str) -> None:
    with pytest.raises(UnknownOperation) as caught:
        find(name)
    assert caught.value.kind == "unimplemented"
    assert any(known in caught.value.message for known in names())
    assert len(caught.value.message) < 1000


def test_the_hint_is_the_nearest_name() -> None:
    with pytest.raises(UnknownOperation, match=r"there is no such operation; did you mean elb\.list_members\?"):
        find("elb.list_member")
    with pytest.raises(UnknownOperation, match="the operations are " + ", ".join(names())):
        find("launch the goose")


@given(st.text(st.characters(), max_size=40))
@example("elb.list_members")
@patient
def test_a_name_is_an_operation_or_unknown(name: str) -> None:
    if name in names():
        assert find(name).name == name
    else:
        with pytest.raises(UnknownOperation):
            find(name)


def test_a_function_is_made_of_a_call() -> None:
    @function(payload=Payload, result=Result, subject="things/{thing_id}", reads=True)
    def thing_look_at_it(payload: object, cloud: object) -> dict[str, object]:
        """
        Look at a thing.

        Closely.
        """
        return {}

    assert thing_look_at_it.name == "thing.look_at_it"
    assert thing_look_at_it.summary == "Look at a thing."
    assert (thing_look_at_it.reads, thing_look_at_it.idempotent) == (True, False)
    assert isinstance(thing_look_at_it.payload, Payload)
    assert isinstance(thing_look_at_it.result, Result)


def test_a_partial_answer_is_an_answer() -> None:
    assert Partial({"a": 1}, missing=[]) == {"a": 1, "missing": []}
