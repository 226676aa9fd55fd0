"""The document and its page over real HTTP: what they hold, what a browser is allowed, and what there is without Swagger UI."""

from __future__ import annotations

import http.client
import json
import re
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from events.openapi import openapi
from events.triggers import docs
from events.triggers.docs import add_docs
from functions.cloud.emulator.server import serving_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path

pytest.importorskip("flask_swagger_ui", reason="the docs extra is not installed")

ASSETS = ["init.js", "page.css", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-16x16.png", "favicon-32x32.png"]
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "png": "image/png"}


@contextmanager
def served(**options: object) -> Iterator[str]:
    app = Flask("test", static_folder=None)
    add_docs(app, **options)
    with serving_app(app) as url:
        yield url


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as url:
        yield url


def get(url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, Message, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


class Page(HTMLParser):
    """What a page loads, and the text inside its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.attributes: set[str] = set()
        self.inline = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.attributes |= {name for name, _ in attrs}
        self.loads += [value or "" for name, value in attrs if name == "src" or (name == "href" and tag == "link")]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.inline += data


def test_the_document_is_served_with_what_it_was_asked_for() -> None:
    with served(operations=False, hooks=True, prefix="com.example", body_limit=4096) as url:
        status, headers, body = get(url, "/openapi.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == openapi(operations=False, hooks=True, prefix="com.example", body_limit=4096)


def test_parts_stand_in_the_order_that_people_read_them_in(url: str) -> None:
    document = json.loads(get(url, "/openapi.json")[2])
    content = document["paths"]["/functions/elb.list_members"]["post"]["requestBody"]["content"]
    assert next(iter(content)) == "application/json"
    assert [tag["name"] for tag in document["tags"]] == ["functions", "events", "server"]


def test_nothing_is_made_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def make(**options: object) -> dict[str, object]:
        made.append(options)
        return {}

    monkeypatch.setattr(docs, "openapi", make)
    app = Flask("test", static_folder=None)
    add_docs(app, hooks=True)
    assert not made
    assert app.test_client().get("/openapi.json").get_json() == {}
    assert made == [{"hooks": True}]


def test_the_page_loads_what_we_serve_and_nothing_else(url: str) -> None:
    status, headers, body = get(url, "/docs")
    page = Page(body.decode())
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert sorted(page.loads) == sorted(f"docs/assets/{name}" for name in ASSETS)
    assert not page.inline.strip()
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert b"openapi.json" in get(url, "/docs/assets/init.js")[2]


def test_nothing_of_ours_names_another_host() -> None:
    files = [*resources.files("events.openapi").joinpath("page").iterdir()]
    assert len(files) == 3
    assert not [file.name for file in files if re.search(r"(?:https?:)?//\w+\.\w", file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", *(f"/docs/assets/{name}" for name in ASSETS)])
def test_the_browser_may_do_no_more_than_the_page_needs(url: str, path: str) -> None:
    headers = get(url, path)[1]
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ASSETS)
def test_assets_have_their_types_and_are_asked_about_before_they_are_used_again(url: str, name: str) -> None:
    status, headers, body = get(url, f"/docs/assets/{name}")
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (
        200,
        TYPES[name.rpartition(".")[2]],
        "no-cache",
    )
    assert body
    again = get(url, f"/docs/assets/{name}", If_None_Match=headers["ETag"])
    assert (again[0], again[2]) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "swagger-ui.js",
        "LICENSE",
        "../__init__.py",
        "..%2f__init__.py",
        "%2e%2e/%2e%2e/flask_swagger_ui.py",
        "..%5c__init__.py",
        "init.js%00",
        "init.js/",
        "./init.js",
        "%2fetc%2fpasswd",
        "",
    ],
)
def test_no_other_file_is_served(url: str, name: str) -> None:
    assert get(url, f"/docs/assets/{name}")[0] == 404


def test_swagger_ui_reads_openapi_3_1(url: str) -> None:
    bundle = get(url, "/docs/assets/swagger-ui-bundle.js")[2].decode()
    # Swagger UI reads 3.1 since 5.0.0, and names the version that it takes.
    assert "3.1" in bundle
    assert re.search(r"OAS ?3\.1|isOAS31", bundle)


@pytest.mark.parametrize("missing", ["package", "file"])
def test_without_swagger_ui_the_page_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if missing == "file":
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "__init__.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(docs, "_PACKAGE", "other" if missing == "file" else "there_is_no_such_package")
    with served() as url:
        for path in ("/docs", "/docs/assets/swagger-ui.css"):
            status, headers, body = get(url, path)
            assert (status, headers["Content-Type"]) == (501, "application/problem+json")
            assert "pip install 'flask-swagger-ui>=5'" in json.loads(body)["detail"]
            assert headers["X-Content-Type-Options"] == "nosniff"
        assert get(url, "/openapi.json")[0] == 200


def test_asking_for_the_head_is_enough(url: str) -> None:
    status, headers, body = get(url, "/docs", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100
