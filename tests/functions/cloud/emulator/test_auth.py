import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloud.emulator.core import Emulator, Request, Response
from tests.functions.cloud.emulator.official import BasicCredentials, SdkRequest, Signer
from tests.functions.cloud.emulator.support import (
    APIG_MEMBERS,
    ELB_MEMBERS,
    OTHER_PROJECT,
    PROJECT,
    Clock,
    emulator,
    send,
    token,
)

ACCESS, SECRET = "EMULATORACCESSKEY00", "emulator-secret-key-not-a-secret"
TEMPORARY = ("EMULATORTEMPORARY00", "emulator-temporary-key-not-a-secret")
SECURITY_TOKEN = "emulator-security-token-not-a-secret"
NOW = Clock().now


def signed(
    method: str,
    path: str,
    *,
    access: str = ACCESS,
    secret: str = SECRET,
    date: float = NOW,
    query: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    **headers: str,
) -> Request:
    """A request signed by the official SDK's signer."""
    moment = datetime.fromtimestamp(date, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    given = {"X-Sdk-Date": moment, **{name.replace("_", "-"): value for name, value in headers.items()}}
    wanted = SdkRequest(
        method=method,
        schema="https",
        host="cloud.test",
        resource_path=path,
        query_params=list(query),
        header_params=given,
        body=body,
    )
    done = Signer(BasicCredentials(access, secret, PROJECT)).sign(wanted)
    return Request(method, done.uri, done.header_params, body)


def refused(response: Response) -> tuple[int, str]:
    body = json.loads(response.body)
    assert set(body) == {"error_msg", "error_code", "request_id"}
    assert body["request_id"] == response.headers["X-Request-Id"]
    return response.status, body["error_code"]


def test_a_signed_request_is_let_in() -> None:
    query = (("marker", "0"), ("limit", "10"), ("server_id", "a b~c/ü"))
    assert emulator().handle(signed("GET", ELB_MEMBERS, query=query)).status == 200


def test_a_signed_body_is_let_in_and_not_another_one() -> None:
    request = signed("POST", APIG_MEMBERS, body=b'{"members": [{"host": "10.0.0.1"}]}', Content_Type="application/json")
    assert emulator().handle(request).status == 201
    other = Request(request.method, request.target, request.headers, request.body.replace(b"10", b"11"))
    assert refused(emulator().handle(other)) == (401, "APIGW.0301")


def test_a_body_of_another_media_type_is_not_signed() -> None:
    request = signed("POST", APIG_MEMBERS, body=b"x", Content_Type="text/plain")
    assert request.header("x-sdk-content-sha256") == "UNSIGNED-PAYLOAD"
    assert emulator().handle(request).status == 415


def test_a_temporary_key_needs_its_security_token() -> None:
    access, secret = TEMPORARY
    let_in = signed("GET", ELB_MEMBERS, access=access, secret=secret, X_Security_Token=SECURITY_TOKEN)
    assert emulator().handle(let_in).status == 200
    without = signed("GET", ELB_MEMBERS, access=access, secret=secret)
    assert refused(emulator().handle(without)) == (401, "APIGW.0301")
    wrong = signed("GET", ELB_MEMBERS, access=access, secret=secret, X_Security_Token="another")
    assert refused(emulator().handle(wrong)) == (401, "APIGW.0301")


def test_a_permanent_key_has_no_security_token() -> None:
    request = signed("GET", ELB_MEMBERS, X_Security_Token=SECURITY_TOKEN)
    assert refused(emulator().handle(request)) == (401, "APIGW.0301")


@pytest.mark.parametrize("skew", [-900, 900])
def test_fifteen_minutes_of_skew_are_allowed(skew: int) -> None:
    assert emulator().handle(signed("GET", ELB_MEMBERS, date=NOW + skew)).status == 200


@pytest.mark.parametrize(
    "request_",
    [
        signed("GET", ELB_MEMBERS, date=NOW - 901),
        signed("GET", ELB_MEMBERS, date=NOW + 901),
        signed("GET", ELB_MEMBERS, secret="wrong"),
        signed("GET", ELB_MEMBERS, access="NOSUCHKEY"),
        Request("GET", ELB_MEMBERS),
        Request("GET", ELB_MEMBERS, {"Authorization": ""}),
        Request("GET", ELB_MEMBERS, {"X-Auth-Token": ""}),
        Request("GET", ELB_MEMBERS, {"X-Auth-Token": "unknown"}),
    ],
)
def test_a_missing_or_wrong_proof_is_refused(request_: Request) -> None:
    assert refused(emulator().handle(request_)) == (401, "APIGW.0301")


@pytest.mark.parametrize("names", ["host", "x-sdk-date", "content-type"])
def test_host_and_date_must_be_signed(names: str) -> None:
    authorization = f"SDK-HMAC-SHA256 Access={ACCESS}, SignedHeaders={names}, Signature={'0' * 64}"
    response = emulator().handle(Request("GET", ELB_MEMBERS, {"Authorization": authorization}))
    assert refused(response) == (401, "APIGW.0301")
    assert "SignedHeaders lacks" in json.loads(response.body)["error_msg"]


@pytest.mark.parametrize("date", ["", "20220415", "20221315T000000Z", "2022-04-15T00:00:00Z", "20220415T000000Z "])
def test_a_date_must_be_one(date: str) -> None:
    authorization = f"SDK-HMAC-SHA256 Access={ACCESS}, SignedHeaders=host;x-sdk-date, Signature={'0' * 64}"
    headers = {"Authorization": authorization, "Host": "cloud.test", "X-Sdk-Date": date}
    response = emulator().handle(Request("GET", ELB_MEMBERS, headers))
    assert refused(response) == (401, "APIGW.0301")
    assert "X-Sdk-Date" in json.loads(response.body)["error_msg"]


def test_expired_tokens_must_be_renewed() -> None:
    cloud = emulator()
    old = token(cloud)
    assert cloud.expire_tokens() == 1
    assert refused(send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=old)) == (401, "APIGW.0307")
    assert send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=token(cloud)).status == 200


def test_a_signature_wins_over_a_token() -> None:
    cloud = emulator()
    request = signed("GET", ELB_MEMBERS, secret="wrong", X_Auth_Token=token(cloud))
    assert refused(cloud.handle(request)) == (401, "APIGW.0301")


def test_the_path_must_name_the_callers_project() -> None:
    request = signed("GET", ELB_MEMBERS.replace(PROJECT, "f" * 32))
    assert refused(emulator().handle(request)) == (403, "APIGW.0302")


def test_a_key_may_own_several_projects_and_a_token_only_one() -> None:
    cloud, path = emulator(), ELB_MEMBERS.replace(PROJECT, OTHER_PROJECT)
    assert cloud.handle(signed("GET", path)).status == 200
    assert refused(send(cloud, "GET", path, X_Auth_Token=token(cloud))) == (403, "APIGW.0302")


texts = st.text(max_size=40)
pieces = st.sampled_from(
    ["SDK-HMAC-SHA256 ", "Access=", ACCESS, ", ", "SignedHeaders=", "host", ";", "x-sdk-date", "Signature=", "0" * 64]
)
authorizations = st.one_of(
    texts,
    st.lists(st.one_of(pieces, texts), max_size=12).map("".join),
    st.tuples(texts, texts).map(
        lambda pair: f"SDK-HMAC-SHA256 Access={pair[0]}, SignedHeaders=host;x-sdk-date;{pair[1]}, Signature={'0' * 64}"
    ),
)
CLOUD: Emulator = emulator()


@given(authorization=authorizations, date=st.one_of(texts, st.just("20220415T052000Z")), host=texts)
def test_no_authorization_breaks_the_gateway(authorization: str, date: str, host: str) -> None:
    headers = {"Authorization": authorization, "X-Sdk-Date": date, "Host": host}
    assert refused(CLOUD.handle(Request("GET", ELB_MEMBERS, headers))) == (401, "APIGW.0301")


@given(text=texts)
def test_no_token_breaks_the_gateway(text: str) -> None:
    assert refused(CLOUD.handle(Request("GET", ELB_MEMBERS, {"X-Auth-Token": text}))) == (401, "APIGW.0301")
