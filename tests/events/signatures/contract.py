"""What every scheme must do, as one class of tests: a scheme's own tests subclass it and say how its requests are made."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.signatures import BadSecret, Refused, Scheme, Secret, Secrets, Verified

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_750_000_000.0
BODY = '{"listener_id": "65093734fb966b3d70f6af26cc63e125", "名": "é"}'.encode()
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "")
# Every scheme's class runs the same test: that is what the first health check would refuse.
CHECKS = [HealthCheck.differing_executors, HealthCheck.too_slow]
EXAMPLES = {"nightly": 100_000, "fast": 50}.get(PROFILE, 500)
anything = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=CHECKS)
"""For arbitrary bytes, headers and query."""
thoroughly = settings(
    max_examples={"nightly": 100_000, "fast": 50}.get(PROFILE, 300), deadline=None, suppress_health_check=CHECKS
)
"""For what is particular to one scheme."""

ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text("0123456789abcdefv1=,. +/", max_size=60),
    st.just(""),
    st.text("\ud800é\x00\r\n", max_size=5),
)


@dataclass(frozen=True)
class Request:
    """A request as a door hands it to a scheme."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)

    def put(self, name: str, value: str | None) -> Request:
        """Return it with one header changed, or gone when the value is None."""
        kept = {key: known for key, known in self.headers.items() if key != name}
        return replace(self, headers=kept if value is None else {**kept, name: value})

    def ask(self, name: str, *values: str) -> Request:
        """Return it with one parameter of the query changed, or gone when there is no value."""
        kept = {key: known for key, known in self.query.items() if key != name}
        return replace(self, query={**kept, name: list(values)} if values else kept)


@contextmanager
def telling(kind: type[Exception]) -> Iterator[list[str]]:
    """Give the texts of the error of this kind that the block may raise."""
    told: list[str] = []
    try:
        yield told
    except kind as error:
        told.append(str(error))


class SchemeContract:
    """Subclass it as `class TestGithub(SchemeContract)` and define what is below."""

    scheme: ClassVar[Scheme]
    secret: ClassVar[dict[str, str]]
    """A secret's texts by part; obviously fake."""
    other: ClassVar[dict[str, str]]
    """Another one."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Headers without which a request is refused."""
    asked: ClassVar[tuple[str, ...]] = ()
    """Parameters of the query without which it is refused."""
    signs_body = True
    signs_time = True
    same_when_fresh = False
    """Whether the same body signed at another moment has the same fingerprint (nothing but the body is signed)."""

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        """Return a request signed from the facts, by hand."""
        raise NotImplementedError

    def plain(self, request: Request) -> bytes:
        """Return the body that `verify` gives for a request: another one where the scheme decrypts."""
        return request.body

    def tampered(self, body: bytes) -> bytes:
        """Return the body with one byte changed."""
        return bytes([body[0] ^ 1]) + body[1:]

    # The tests

    def secrets(self, *each: tuple[dict[str, str], float | None]) -> Secrets:
        known = each or ((self.secret, None),)
        return Secrets(
            "monitoring",
            tuple(
                Secret(self.scheme.key(parts), f"secret {index}", until) for index, (parts, until) in enumerate(known)
            ),
        )

    def verify(self, request: Request, secrets: Secrets | None = None, now: float = NOW) -> Verified | Refused:
        first = self.scheme.verify(request.body, request.headers, request.query, secrets or self.secrets(), now)
        assert first == self.scheme.verify(request.body, request.headers, request.query, secrets or self.secrets(), now)
        return first

    def accepted(self, request: Request, secrets: Secrets | None = None, now: float = NOW) -> Verified:
        result = self.verify(request, secrets, now)
        assert isinstance(result, Verified), result
        assert result.sender == "monitoring"
        return result

    def refused(self, request: Request, *reasons: str, secrets: Secrets | None = None, now: float = NOW) -> Refused:
        result = self.verify(request, secrets, now)
        assert isinstance(result, Refused), result
        assert result.reason in reasons, result
        for parts in (self.secret, self.other):
            assert not [text for text in parts.values() if text in result.detail]
        return result

    def test_a_good_request(self) -> None:
        request = self.request()
        assert self.accepted(request).body == self.plain(request)

    def test_a_body_that_is_not_utf_8(self) -> None:
        request = self.request(body=b"\xff\xfe\x00 not text")
        assert self.verify(request) == self.verify(request)
        if type(self).plain is SchemeContract.plain:
            assert self.accepted(request).body == b"\xff\xfe\x00 not text"

    def test_an_empty_body(self) -> None:
        assert isinstance(self.verify(self.request(body=b"")), (Verified, Refused))

    def test_each_header_missing(self) -> None:
        for name in self.needed:
            self.refused(self.request().put(name, None), "header_missing")

    def test_each_header_empty(self) -> None:
        for name in self.needed:
            for value in ("", " "):
                self.refused(self.request().put(name, value), "header_missing")

    def test_each_header_doubled(self) -> None:
        for name in self.needed:
            for comma in (",", ", "):
                doubled = comma.join([self.request().headers[name]] * 2)
                self.refused(self.request().put(name, doubled), "header_malformed", self.scheme.mismatch)

    @pytest.mark.parametrize(
        "value",
        [
            "é",
            "\udcff",
            "\x00",
            "a\r\nb",
            "۱۷۵۰۰۰۰۰۰۰",
            "-1",
            "1.5",
            "1e9",
            "x" * 9000,
            "=",
            "%",
            "sha256=",
            "v1,",
            "nan",
        ],
    )
    def test_each_header_malformed(self, value: str) -> None:
        for name in self.needed:
            self.refused(
                self.request().put(name, value), "header_malformed", self.scheme.mismatch, "too_old", "too_new"
            )

    def test_each_parameter_missing_empty_or_doubled(self) -> None:
        for name in self.asked:
            value = self.request().query[name][0]
            self.refused(self.request().ask(name), "header_missing")
            self.refused(self.request().ask(name, ""), "header_missing")
            self.refused(self.request().ask(name, value, value), "header_malformed")
            self.refused(self.request().ask(name, "é"), "header_malformed")

    def test_a_wrong_secret(self) -> None:
        self.refused(self.request(secret=self.other), self.scheme.mismatch, "decrypt_failed")

    def test_no_secret_at_all(self) -> None:
        self.refused(self.request(), self.scheme.mismatch, "decrypt_failed", secrets=Secrets("monitoring", ()))

    def test_an_old_secret_counts_until_its_end(self) -> None:
        old = self.request(secret=self.other)
        until = self.secrets((self.secret, None), (self.other, NOW))
        self.accepted(old, until, NOW)
        self.accepted(self.request(), until, NOW)
        self.refused(old, self.scheme.mismatch, "decrypt_failed", secrets=until, now=NOW + 1)
        self.accepted(self.request(now=NOW + 1), until, NOW + 1)

    def test_outside_the_window_both_ways(self) -> None:
        if not self.signs_time:
            self.accepted(self.request(), now=NOW + 10**8)
            return
        window = self.scheme.window_s
        self.accepted(self.request(), now=NOW + window)
        self.accepted(self.request(), now=NOW - window)
        self.refused(self.request(), "too_old", now=NOW + window + 1)
        self.refused(self.request(), "too_new", now=NOW - window - 1)

    def test_a_replay_has_the_same_fingerprint_and_nothing_else_has(self) -> None:
        first, again = self.accepted(self.request()), self.accepted(self.request())
        fresh = self.accepted(self.request(now=NOW + 1), now=NOW + 1)
        other = self.accepted(self.request(body=b'{"other": 1}'))
        assert first.fingerprint == again.fingerprint
        if first.fingerprint:
            assert (first.fingerprint == fresh.fingerprint) is self.same_when_fresh
            assert first.fingerprint != other.fingerprint or not self.signs_body

    def test_a_body_changed_by_one_byte(self) -> None:
        request = self.request()
        changed = replace(request, body=self.tampered(request.body))
        if self.signs_body:
            self.refused(changed, self.scheme.mismatch, "decrypt_failed", "body_malformed")
        else:
            self.accepted(changed)

    @pytest.mark.parametrize("text", ["", "é", "\x00", "short"])
    def test_a_secret_that_cannot_be_is_told_without_it(self, text: str) -> None:
        for part in self.secret:
            with telling(BadSecret) as told_by:
                self.scheme.key({**self.secret, part: text})
            assert len(text) < 3 or text not in "".join(told_by)

    def test_what_it_signs_it_takes(self) -> None:
        fresh = self.scheme.sign(self.scheme.key(self.secret), BODY, NOW, "msg_1")
        headers = {name.lower(): value for name, value in fresh.headers.items()}
        taken = self.accepted(Request(fresh.body, headers, {name: [value] for name, value in fresh.query.items()}))
        assert taken.body == BODY

    @anything
    @given(data=st.data())
    def test_whatever_comes_is_answered(self, data: st.DataObject) -> None:
        """Any bytes, headers and query: a typed answer, the same twice, and never another than refused for what nobody signed."""
        good = self.request()
        headers = data.draw(
            st.fixed_dictionaries(
                {}, optional={name: ANY_TEXT | st.just(value) for name, value in good.headers.items()}
            )
        )
        extra = data.draw(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
        query = data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    name: st.lists(ANY_TEXT | st.just(values[0]), max_size=2) for name, values in good.query.items()
                },
            )
        )
        body = data.draw(st.binary(max_size=200) | st.just(good.body))
        asked = Request(body, {**extra, **headers}, query)
        result = self.verify(asked, now=data.draw(st.sampled_from([NOW, NOW + 1, 0.0, 1e12])))
        if isinstance(result, Verified) and self.signs_body:
            assert result.answer or body == good.body
            assert all(headers.get(name) == good.headers[name] for name in self.needed)
        if isinstance(result, Refused):
            assert result.detail
