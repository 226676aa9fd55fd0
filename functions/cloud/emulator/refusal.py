"""How the cloud says no: the documented shapes of an error body, for the gateway and every service."""

from collections.abc import Mapping
from typing import Any

from functions.cloud.emulator.message import Response, json_response


class Refusal(Exception):
    """A request is answered with an error: an HTTP status and a JSON body.

    `traced` adds the request id to the body, as the gateway in front of the services does.
    """

    def __init__(
        self, status: int, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None, traced: bool = False
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.traced = traced

    def response(self, request_id: str) -> Response:
        """Make the answer."""
        extra = {"request_id": request_id} if self.traced else {}
        return json_response(self.status, {**self.body, **extra}, self.headers)


def flat(status: int, code: str, message: str) -> Refusal:
    """Shape of APIG and CSBS (both API pages): `{"error_code", "error_msg"}`."""
    return Refusal(status, {"error_code": code, "error_msg": message})


def nested(status: int, code: str, message: str) -> Refusal:
    """Shape of VPCEP (API page, tables 7 and 8) and of classic ELB: `{"error": {"message", "code"}}`."""
    return Refusal(status, {"error": {"message": message, "code": code}})


def gateway(status: int, code: str, message: str) -> Refusal:
    """Shape of the gateway in front of the services: `{"error_msg", "error_code": "APIGW.xxxx", "request_id"}`."""
    return Refusal(status, {"error_msg": message, "error_code": code}, traced=True)


def own(status: int, message: str, *, headers: Mapping[str, str] | None = None, **facts: Any) -> Refusal:
    """Answer with what only an emulator says; the code EMULATOR.0<status> cannot be taken for one of the cloud's."""
    body = {"error_code": f"EMULATOR.0{status}", "error_msg": message, **facts}
    return Refusal(status, body, headers=headers)
