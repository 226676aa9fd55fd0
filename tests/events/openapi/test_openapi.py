"""The document: valid, whole, the same each time, and its examples are as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from events import strictjson
from events.openapi import examples, openapi, operations
from events.samples import sample
from events.signatures import REASONS, registry
from events.triggers.results import STATUS
from functions.registry import names
from tests.events.openapi.support import BOTH, JSON, STRUCTURED, Api, parts, schemas, validator

ROOT = Path(__file__).parents[3]
DOORS: list[dict[str, Any]] = [
    {},
    BOTH,
    {"operations": False, "hooks": True},
    {"operations": False},
    {"queue": True},
    {"operations": False, "hooks": True, "queue": True},
    {"operations": False, "queue": True},
]


@pytest.mark.parametrize("doors", DOORS)
def test_it_is_openapi(doors: dict[str, Any]) -> None:
    # The OpenAPI initiative's own schema, as schemathesis has it with it.
    definitions = pytest.importorskip("schemathesis.specs.openapi.definitions", reason="schemathesis needs Python 3.11")
    document = json.loads(json.dumps(openapi(**doors)))
    jsonschema.Draft202012Validator(definitions.OPENAPI_31).validate(document)


@pytest.mark.parametrize("doors", DOORS)
def test_it_holds_together(doors: dict[str, Any]) -> None:
    document = openapi(**doors)
    assert document["openapi"].startswith("3.1.")
    for schema in schemas(document):
        jsonschema.Draft202012Validator.check_schema(schema)
    for target in {part["$ref"] for part in parts(document) if isinstance(part.get("$ref"), str)}:
        found: Any = document
        for step in target.removeprefix("#/").split("/"):
            found = found[step]
    for path, item in document["paths"].items():
        for operation in item.values():
            declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))
            assert {tag["name"] for tag in document["tags"]} >= set(operation["tags"])
            assert {name for each in operation.get("security", []) for name in each} <= set(
                document["components"].get("securitySchemes", {})
            )
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)
    assert not [each for each in ids if "_" in each]  # Swagger UI cannot link to them.


def test_it_is_the_same_in_every_process_and_made_once() -> None:
    code = "import json; from events.openapi import openapi; print(json.dumps(openapi(hooks=True)))"
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert made == {json.dumps(openapi(hooks=True)) + "\n"}
    assert openapi() is openapi()


def test_no_reader_meets_what_is_not_utf8_or_not_strict_json() -> None:
    assert strictjson.loads(strictjson.dumps(openapi(**BOTH))) == openapi(**BOTH)


def test_the_doors_that_are_open_are_described_and_no_others() -> None:
    local, signed = openapi(), openapi(operations=False, hooks=True)
    server = {"/health/live", "/health/ready", "/schemas/result/1", "/openapi.json", "/docs"}
    assert set(local["paths"]) == {*(f"/functions/{name}" for name in names()), "/events", *server}
    assert set(signed["paths"]) == {"/hooks/{sender}", *server}
    assert set(openapi(operations=False)["paths"]) == server
    assert "securitySchemes" not in local["components"]
    assert set(signed["components"]["securitySchemes"]) == set(registry.names())


def test_what_is_stored_for_later_is_described_where_there_is_a_queue() -> None:
    without, both = openapi(hooks=True), openapi(**BOTH)
    posts = {path: item["post"] for path, item in both["paths"].items() if "post" in item}
    assert set(posts) == {*(f"/functions/{name}" for name in names()), "/events", "/hooks/{sender}"}
    for path, post in posts.items():
        assert [each["name"] for each in post["parameters"]].count("Prefer") == 1
        assert "202" in post["responses"]
        assert "202" not in without["paths"][path]["post"]["responses"]
    assert "Prefer" not in json.dumps(without)
    assert {name for name in both["components"]["schemas"] if name.startswith("later.")} == {
        "later.Stored",
        "later.StoredBatch",
    }
    assert not [name for name in without["components"]["schemas"] if name.startswith("later.")]


def test_settings_are_in_it() -> None:
    document = openapi(prefix="com.example", body_limit=4096, queue=True)
    assert "at most 4096 bytes" in document["info"]["description"]
    typed = document["components"]["schemas"]["elb.list_members.TypedEvent"]
    assert typed["properties"]["type"] == {"const": "com.example.elb.list_members"}
    kept = [part["type"] for part in parts(document["paths"]) if isinstance(part.get("specversion"), str)]
    assert kept
    assert all(kind.startswith("com.example.") for kind in kept)


def test_every_kind_of_error_and_reason_is_described() -> None:
    shapes = openapi()["components"]["schemas"]
    kinds = [
        shapes[f"result.Failed{status}"]["properties"]["error"]["properties"]["kind"]["enum"]
        for status in set(STATUS.values())
    ]
    assert sorted(kind for each in kinds for kind in each) == sorted(STATUS)
    assert set(REASONS) == set(shapes["problem.Problem"]["properties"]["reason"]["enum"])


@pytest.mark.parametrize("name", registry.names())
def test_every_scheme_says_where_its_signature_is(name: str) -> None:
    scheme, described = registry.find(name), openapi(hooks=True)["components"]["securitySchemes"][name]
    assert scheme is not None
    assert described["description"]
    assert described["type"] == "http" or described["name"] in scheme.headers


# Examples


def test_every_example_is_as_its_schema_says() -> None:
    shown = 0
    for part in parts(openapi(**BOTH)):
        if "schema" in part and "examples" in part:
            for name, example in part["examples"].items():
                validator(json.dumps(part["schema"])).validate(example["value"])
                shown += bool(name)
    assert shown > 50


@pytest.mark.parametrize("operation", names())
def test_every_operation_shows_its_sample(operation: str) -> None:
    content = openapi()["paths"][f"/functions/{operation}"]["post"]["requestBody"]["content"]
    assert content[JSON]["examples"]["sample"]["value"] == json.loads(sample(operation))
    assert content[STRUCTURED]["examples"]["sample"]["value"]["data"] == json.loads(sample(operation))


@pytest.mark.parametrize("operation", names())
def test_results_that_are_shown_are_the_emulators(operation: str) -> None:
    answers = openapi()["paths"][f"/functions/{operation}"]["post"]
    asked = answers["requestBody"]["content"][STRUCTURED]["examples"]["sample"]["value"]
    shown = answers["responses"]["200"]["content"][STRUCTURED].get("examples", {}).get("sample")
    if shown is None:
        pytest.skip("none is kept of this operation")
    answered = Api().http.post(f"/functions/{operation}", json=asked, content_type=STRUCTURED)
    assert steady(shown["value"]) == steady(json.loads(answered.data)), answered.text


def test_an_operation_without_a_sample_has_no_example() -> None:
    assert (examples.payload("elb.new"), examples.event("elb.new", "p"), examples.succeeded("elb.new", "p")) == (
        None,
    ) * 3
    assert operations.body((JSON, {}, {"sample": None})) == {"required": True, "content": {JSON: {"schema": {}}}}


def steady(event: Any) -> Any:
    """Return an event without what is another each time: times, and ids that are given at random."""
    given = json.dumps(event["data"]["upstream"]), json.dumps(event["time"])
    text = json.dumps({**event, "time": "", "data": {**event["data"], "upstream": None}})
    assert all(given)
    text = re.sub(r'"20(?:2[3-9]|[3-9]\d)-[^"]*"', '"now"', text)
    return json.loads(re.sub(r'"id": "[0-9a-f]{32}", "address": "192', '"id": "given", "address": "192', text))
