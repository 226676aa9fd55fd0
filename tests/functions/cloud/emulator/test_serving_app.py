from __future__ import annotations

import urllib.error
import urllib.request

import flask
import pytest

from functions.cloud.emulator.server import serving_app


def test_it_serves_quietly_and_is_gone_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    app = flask.Flask("test")
    app.add_url_rule("/", view_func=lambda: "here")
    with serving_app(app) as url, urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.read() == b"here"
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
    assert capfd.readouterr() == ("", "")
