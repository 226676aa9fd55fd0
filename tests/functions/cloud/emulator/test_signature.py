import pytest

from functions.cloud.emulator.message import Request
from functions.cloud.emulator.signature import (
    Claim,
    canonical_path,
    canonical_query,
    canonical_request,
    is_signed_by,
    read_claim,
)

HEADERS = {
    "Host": "service.endpoint.myhuaweicloud.com",
    "X-Sdk-Date": "20200608T023900Z",
    "TEST_UNDERSCORE": "TEST_VALUE",
}
GET_SIGNATURE = "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842"
POST_SIGNATURE = "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f"
VECTORS = [
    (Request("GET", "/resources?size=1", HEADERS), GET_SIGNATURE),
    (Request("POST", "/resources?size=1", HEADERS, b'{"name":"test","id":1}'), POST_SIGNATURE),
]


def claim(signature: str, *names: str) -> Claim:
    return Claim("AccessKey", names or ("host", "x-sdk-date"), signature)


@pytest.mark.parametrize(("request_", "signature"), VECTORS)
def test_the_official_sdks_vectors_verify(request_: Request, signature: str) -> None:
    assert is_signed_by(request_, claim(signature), "SecretKey")


@pytest.mark.parametrize(
    "changed",
    [
        Request("PUT", "/resources?size=1", HEADERS),
        Request("GET", "/resource?size=1", HEADERS),
        Request("GET", "/resources?size=2", HEADERS),
        Request("GET", "/resources?size=1", {**HEADERS, "Host": "elsewhere"}),
        Request("GET", "/resources?size=1", {**HEADERS, "X-Sdk-Date": "20200608T023901Z"}),
        Request("GET", "/resources?size=1", HEADERS, b" "),
        Request("GET", "/resources?size=1", HEADERS, b"x"),
    ],
)
def test_whatever_was_signed_cannot_change(changed: Request) -> None:
    assert not is_signed_by(changed, claim(GET_SIGNATURE), "SecretKey")


def test_another_secret_or_signature_or_list_of_headers_does_not_verify() -> None:
    request, signature = VECTORS[0]
    assert not is_signed_by(request, claim(signature), "secretkey")
    assert not is_signed_by(request, claim("0" * 64), "SecretKey")
    assert not is_signed_by(request, claim(signature, "x-sdk-date", "host"), "SecretKey")
    assert not is_signed_by(request, claim(signature, "host", "x-sdk-date", "x-absent"), "SecretKey")


@pytest.mark.parametrize(
    "same",
    [
        Request("get", "/resources/?size=1", {name.upper(): value for name, value in HEADERS.items()}),
        Request("GET", "/%72esources?size=%31", {**HEADERS, "Host": "  service.endpoint.myhuaweicloud.com "}),
        Request("GET", "/resources?size=1", {**HEADERS, "X-Unsigned": "anything"}),
    ],
)
def test_what_the_canonical_form_levels_may_differ(same: Request) -> None:
    assert is_signed_by(same, claim(GET_SIGNATURE), "SecretKey")


def test_an_unsigned_payload_leaves_the_body_open_but_never_an_empty_one() -> None:
    headers = {**HEADERS, "X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
    assert is_signed_by(Request("GET", "/resources?size=1", headers), claim(GET_SIGNATURE), "SecretKey")
    one, two = (canonical_request(Request("POST", "/", headers, body), ("host",)) for body in (b"one", b"two"))
    assert one == two
    assert one.endswith(b"\nUNSIGNED-PAYLOAD")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/a", "/a/"),
        ("/a/", "/a/"),
        ("/a%2Fb", "/a/b/"),
        ("/a b~c", "/a%20b~c/"),
        ("/%E9%B8%BF", "/%E9%B8%BF/"),
        ("/%ff", "/%EF%BF%BD/"),
    ],
)
def test_the_path_is_encoded_anew_and_ends_with_a_slash(path: str, expected: str) -> None:
    assert canonical_path(path) == expected


def test_the_query_is_sorted_and_encoded_anew() -> None:
    request = Request("GET", "/?b=2&a=x%20y&b=1&empty&a=+&&c=%7E")
    assert canonical_query(request.query) == "a=%2B&a=x%20y&b=1&b=2&c=~&empty="


def test_header_bytes_are_digested_as_they_came() -> None:
    request = Request("GET", "/", {"x-name": "鸿雁".encode().decode("latin-1")})
    assert "x-name:鸿雁\n".encode() in canonical_request(request, ("x-name",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bearer x",
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=xyz",
        f"SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature={'0' * 64}",
        f"SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature={'0' * 63}",
        f"SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature={'A' * 64}",
        f"V11-HMAC-SHA256 Access=a, SignedHeaders=host, Signature={'0' * 64}",
        f"SDK-HMAC-SHA256 SignedHeaders=host, Access=a, Signature={'0' * 64}",
    ],
)
def test_an_authorization_that_is_anything_else_claims_nothing(text: str) -> None:
    assert read_claim(text) is None


def test_a_claim_is_read() -> None:
    text = f"SDK-HMAC-SHA256 Access=a, SignedHeaders=host;x-sdk-date, Signature={'0' * 64}"
    assert read_claim(text) == Claim("a", ("host", "x-sdk-date"), "0" * 64)
