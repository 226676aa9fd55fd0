"""Bearer: where the token may be, that it shows nowhere, and which options cannot be."""

from __future__ import annotations

import base64
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.signatures import BadOption, BadSecret, Delivery, Refused, Verified
from events.signatures.bearer import Bearer
from tests.events.signatures.contract import ANY_TEXT, BODY, NOW, Request, SchemeContract, telling, thoroughly

TOKEN = "not-a-real-token~+/="
OTHER = "another-unreal-token"
IDS = ("idempotency-key", "webhook-id", "ce-id")


class Tokens(SchemeContract):
    secret: ClassVar[dict[str, str]] = {"secret": TOKEN}
    other: ClassVar[dict[str, str]] = {"secret": OTHER}
    signs_body = False
    signs_time = False

    def test_nothing_is_known_but_who_sent_it(self) -> None:
        taken = self.accepted(self.request())
        assert (taken.id, taken.time, taken.fingerprint, taken.body) == (None, None, "", BODY)

    @pytest.mark.parametrize("name", IDS)
    def test_an_id_is_read(self, name: str) -> None:
        for given_id, id_ in {"k-1": "k-1", "x" * 255: "x" * 255, '"k-1"': "k-1"}.items():
            assert self.accepted(self.request().put(name, given_id)).id == id_

    @pytest.mark.parametrize("name", IDS)
    def test_a_malformed_id_is_none(self, name: str) -> None:
        for text in ("", " ", '""', "x" * 256, "é", "a b", "a, a", "\udcff", "a\nb"):
            assert self.accepted(self.request().put(name, text)).id is None

    def test_the_first_id_that_is_there_counts(self) -> None:
        three = self.request().put("ce-id", "c").put("webhook-id", "w").put("idempotency-key", "i")
        assert self.accepted(three).id == "i"
        assert self.accepted(three.put("idempotency-key", None)).id == "w"
        assert self.accepted(three.put("idempotency-key", "")).id == "w"
        assert self.accepted(three.put("idempotency-key", "a b")).id is None

    def test_what_was_read_does_not_show_the_token(self) -> None:
        request = self.request()
        signed = self.scheme.read(Delivery(request.body, request.headers, request.query))
        assert TOKEN not in repr(signed)
        assert TOKEN not in repr(self.secrets())

    def test_it_needs_https(self) -> None:
        assert self.scheme.needs_https


class TestAuthorization(Tokens):
    scheme = Bearer()
    needed = ("authorization",)

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "",  # noqa: A002
    ) -> Request:
        return Request(body, {"authorization": f"Bearer {(secret or self.secret)['secret']}"})

    @pytest.mark.parametrize("text", [f"bearer {TOKEN}", f"BEARER {TOKEN}", f"Bearer   {TOKEN}"])
    def test_the_scheme_word_is_taken_in_any_case_and_any_spaces_after_it(self, text: str) -> None:
        self.accepted(self.request().put("authorization", text))

    @pytest.mark.parametrize(
        "text",
        [
            TOKEN,
            "Bearer",
            "Bearer ",
            f"Bearer{TOKEN}",
            f"Bearer\t{TOKEN}",
            f"Bearer {TOKEN} ",
            f" Bearer {TOKEN}",
            f"Basic {TOKEN}",
            f"Token {TOKEN}",
            f"Bearer {TOKEN} x",
            f"Bearer {TOKEN}, Bearer {TOKEN}",
            f"Bearer {TOKEN},Bearer {TOKEN}",
            f"ſBearer {TOKEN}",
        ],
    )
    def test_another_form_is_refused(self, text: str) -> None:
        self.refused(self.request().put("authorization", text), "header_malformed")

    @pytest.mark.parametrize("text", [TOKEN[:-1], TOKEN + "=", TOKEN.upper(), f"{TOKEN},{TOKEN}", f'"{TOKEN}"', "x"])
    def test_another_token_is_refused(self, text: str) -> None:
        self.refused(self.request().put("authorization", f"Bearer {text}"), "token_mismatch")

    def test_a_parameter_is_not_read_unless_asked_for(self) -> None:
        self.refused(Request(BODY, {}, {"access_token": [TOKEN]}), "header_missing")
        self.accepted(self.request().ask("access_token", "whatever"))

    def test_the_token_is_sent_as_a_secret(self) -> None:
        assert self.scheme.secret_headers == ("authorization",)
        fresh = self.scheme.sign(TOKEN, BODY, NOW, "k-1")
        assert dict(fresh.headers) == {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k-1"}
        assert TOKEN not in repr(fresh)


class TestOwnHeader(Tokens):
    scheme = Bearer(header="X-Gitlab-Token")
    needed = ("x-gitlab-token",)

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "",  # noqa: A002
    ) -> Request:
        return Request(body, {"x-gitlab-token": (secret or self.secret)["secret"]})

    def test_its_whole_value_is_the_token(self) -> None:
        self.refused(self.request().put("x-gitlab-token", f"Bearer {TOKEN}"), "token_mismatch")

    def test_authorization_is_not_read(self) -> None:
        self.refused(Request(BODY, {"authorization": f"Bearer {TOKEN}"}), "header_missing")
        self.accepted(self.request().put("authorization", "Bearer another"))

    def test_its_header_is_a_secret_too_and_only_its_own(self) -> None:
        known = [(scheme.secret_headers, scheme.headers) for scheme in (self.scheme, Bearer(), Bearer)]
        assert known[0] == (("authorization", "x-gitlab-token"), ("x-gitlab-token", *IDS))
        assert known[1] == known[2] == (("authorization",), ("authorization", *IDS))
        assert Bearer(header="Authorization").secret_headers == ("authorization",)


class TestQuery(Tokens):
    scheme = Bearer(query_token=True)
    asked = ("access_token",)

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "",  # noqa: A002
    ) -> Request:
        return Request(body, {}, {"access_token": [(secret or self.secret)["secret"]]})

    def test_the_header_is_still_taken(self) -> None:
        self.accepted(Request(BODY, {"authorization": f"Bearer {TOKEN}"}))

    @pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"Bearer {OTHER}", "", "Basic x"])
    @pytest.mark.parametrize("parameter", [TOKEN, OTHER, ""])
    def test_both_are_refused(self, header: str, parameter: str) -> None:
        self.refused(Request(BODY, {"authorization": header}, {"access_token": [parameter]}), "header_malformed")


# Options and secrets


@pytest.mark.parametrize("name", ["X-Gitlab-Token", "x-api-key", "Authorization", "X.Y!#$%&'*+^`|~", "accepted"])
def test_a_header_that_can_be(name: str) -> None:
    assert Bearer(header=name).header == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        *[
            "",
            " ",
            "a b",
            "é",
            "ſ",
            "x_token",
            "a:",
            "a\n",
            "a,b",
            1,
            True,
            ["a"],
            "Content-Type",
            "host",
            "CONTENT-LENGTH",
        ],
        *["transfer-encoding", "ce-id", "ce-token", "webhook-id", "Idempotency-Key", "cookie", "x-forwarded-for", "te"],
    ],
)
def test_a_header_that_cannot_be(name: Any) -> None:
    with pytest.raises(BadOption, match="must be a header") as error:
        Bearer(header=name)
    assert error.value.option == "header"


@pytest.mark.parametrize("value", ["true", 1, None, []])
def test_query_token_is_true_or_false(value: Any) -> None:
    with pytest.raises(BadOption, match="true or false") as error:
        Bearer(query_token=value)
    assert error.value.option == "query_token"


def test_the_window_is_an_option() -> None:
    assert (Bearer().window_s, Bearer(window_s=60).window_s) == (300, 60)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has 0"),
        ("x" * 15, "has 15"),
        (f"Bearer {TOKEN}", "without 'Bearer'"),
        ("é" * 16, "ASCII"),
        ("\x7f" * 16, "ASCII"),
    ],
)
def test_a_secret_of_the_wrong_form_is_told(text: str, told: str) -> None:
    with pytest.raises(BadSecret, match=told) as error:
        Bearer().key({"secret": text})
    assert not text or text not in str(error.value)


@pytest.mark.parametrize(
    ("header", "used", "label"),
    [
        (None, f'"{TOKEN}"', "quotation marks"),
        (None, base64.b64encode(TOKEN.encode()).decode(), "sends the token in base64"),
        ("x-token", f"Bearer {TOKEN}", "'Bearer' before the token in x-token"),
    ],
)
def test_a_mistake_of_an_operator_is_found(header: str | None, used: str, label: str) -> None:
    found = {key: told for told, key in Bearer(header=header).readings({"secret": TOKEN})}
    assert label in found[used]


def test_a_secret_in_base64_is_found() -> None:
    pasted = base64.b64encode(TOKEN.encode()).decode()
    assert (TOKEN, "the secret is the token in base64") in [
        (key, told) for told, key in Bearer().readings({"secret": pasted})
    ]


@thoroughly
@given(st.text() | st.text("Bearer0=") | st.sampled_from(["whsec_", "=", "\udcff" * 20]))
def test_any_text_is_a_key_or_a_bad_secret_and_has_readings(text: str) -> None:
    with telling(BadSecret) as told:
        Bearer().key({"secret": text})
    assert len(text) < 16 or text not in "".join(told)
    assert all(key for _, key in Bearer(header="x-token").readings({"secret": text}) if text)  # Never an empty token.


@thoroughly
@given(
    ANY_TEXT | st.sampled_from([TOKEN, f"Bearer {TOKEN}"]), st.none() | st.lists(ANY_TEXT | st.just(TOKEN), max_size=2)
)
def test_only_the_token_in_one_place_is_taken(header: str, parameter: list[str] | None) -> None:
    tests = TestQuery()
    query = {} if parameter is None else {"access_token": parameter}
    for headers in ({"authorization": header}, {}):
        result = tests.verify(Request(BODY, headers, query))
        right = parameter == [TOKEN] if not headers else parameter is None and header == f"Bearer {TOKEN}"
        assert isinstance(result, Verified if right else Refused)
        assert TOKEN not in repr(result)
