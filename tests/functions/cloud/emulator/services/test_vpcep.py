from typing import Any

import pytest

from tests.functions.cloud.emulator.support import (
    FAILED_SERVICE,
    SERVICE,
    VPCEP_DESCRIPTION,
    Clock,
    call,
    emulator,
    seed_copy,
)

ONE = "0df78897-35b0-4a93-ad17-0bc0585f546b"
TWO = "0d837f75-90d5-4528-bd11-5d974238ebca"
FAILED = "1ef89a08-46c1-4ba4-8e28-1cd1696f657c"


def put(*connections: Any, service: str = SERVICE) -> tuple[int, Any]:
    target = VPCEP_DESCRIPTION.replace(SERVICE, service)
    return call(emulator(), "PUT", target, {"connections": list(connections)})


def test_the_pages_example() -> None:
    """As on the page, but for what it contradicts: it shows another text than was sent, and two times for one call."""
    body = {
        "connections": [
            {
                "id": ONE,
                "description": "终端节点节点1, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26",
            },
            {"id": TWO, "description": "终端节点节点2, 属于账户[7876999999999]iaas_commonnet_odin_26"},
        ]
    }
    expected = [
        {
            "id": TWO,
            "status": "accepted",
            "description": "终端节点节点2, 属于账户[7876999999999]iaas_commonnet_odin_26",
            "marker_id": 302008767,
            "domain_id": "05b5408a0a80d2b10f06c0184a774460",
            "created_at": "2022-04-14T02:09:08Z",
            "updated_at": "2022-04-14T07:57:39Z",
        },
        {
            "id": ONE,
            "status": "accepted",
            "description": "终端节点节点1, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26",
            "marker_id": 302001833,
            "domain_id": "05b5408a0a80d2b10f06c0184a774460",
            "created_at": "2022-04-14T01:59:31Z",
            "updated_at": "2022-04-14T07:57:39Z",
        },
    ]
    assert call(emulator(Clock(1649923059)), "PUT", VPCEP_DESCRIPTION, body) == (200, {"connections": expected})


def test_a_failed_connection_tells_its_errors_and_an_integer_beyond_two_to_the_53() -> None:
    status, body = put({"id": FAILED, "description": ""}, service=FAILED_SERVICE)
    connection = body["connections"][0]
    assert (status, connection["status"], connection["marker_id"]) == (200, "failed", 422321321312321321)
    assert connection["error"] == [{"error_code": "EndPoint.2022", "error_message": "Failed to create an endpoint."}]


def test_an_error_is_shown_only_while_the_status_is_failed() -> None:
    seed = seed_copy()
    seed["vpcep"]["services"][0]["connections"][0]["error"] = [{"error_code": "old", "error_message": "old"}]
    body = {"connections": [{"id": ONE, "description": "x"}]}
    _, body = call(emulator(seed=seed), "PUT", VPCEP_DESCRIPTION, body)
    assert "error" not in body["connections"][0]


def test_an_id_given_twice_takes_its_last_description() -> None:
    status, body = put({"id": ONE, "description": "a"}, {"id": ONE, "description": "b"})
    assert (status, [one["description"] for one in body["connections"]]) == (200, ["b"])


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("00000000-0000-0000-0000-000000000000", "EndPoint.2003"),
        ("not-a-uuid", "EndPoint.3062"),
        (SERVICE.replace("-", ""), "EndPoint.3062"),
    ],
)
def test_a_service_that_is_not_there_is_a_bad_request(service: str, code: str) -> None:
    status, body = put({"id": ONE, "description": ""}, service=service)
    assert (status, body["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("connection", "code"),
    [
        ({"id": FAILED, "description": ""}, "EndPoint.2013"),
        ({"id": "not-a-uuid", "description": ""}, "EndPoint.2017"),
        ({"description": ""}, "EndPoint.2017"),
        ("x", "EndPoint.2017"),
        ({"id": TWO, "description": "a < b"}, "EndPoint.0002"),
        ({"id": TWO, "description": "a > b"}, "EndPoint.0002"),
        ({"id": TWO, "description": None}, "EndPoint.0002"),
        ({"id": TWO}, "EndPoint.0002"),
    ],
)
def test_one_wrong_connection_changes_none(connection: Any, code: str) -> None:
    cloud = emulator()
    body = {"connections": [{"id": ONE, "description": "new"}, connection]}
    status, answer = call(cloud, "PUT", VPCEP_DESCRIPTION, body)
    assert (status, answer["error"]["code"], set(answer["error"])) == (400, code, {"message", "code"})
    again = {"connections": [{"id": TWO, "description": "t"}]}
    assert call(cloud, "PUT", VPCEP_DESCRIPTION, again)[0] == 200


@pytest.mark.parametrize("body", [None, b"null"])
def test_a_null_body_is_the_clients_fault_whatever_the_status_says(body: Any) -> None:
    expected = {"error": {"message": "The request body is null.", "code": "EndPoint.0011"}}
    assert call(emulator(), "PUT", VPCEP_DESCRIPTION, body) == (504, expected)


@pytest.mark.parametrize("body", [{}, [], {"connections": {}}, {"connections": []}, b"{"])
def test_a_malformed_body_is_refused(body: Any) -> None:
    status, answer = call(emulator(), "PUT", VPCEP_DESCRIPTION, body)
    assert (status, answer["error"]["code"]) == (400, "EndPoint.0002")


def test_a_text_that_utf_8_cannot_carry_is_answered_all_the_same() -> None:
    status, body = put({"id": ONE, "description": "\ud800"})
    assert (status, body["connections"][0]["description"]) == (200, "?")
