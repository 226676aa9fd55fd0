"""The official SDK, a client that knows nothing of this project, calls the emulator over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.server import serving
from tests.functions.cloud.emulator.official import (
    AddingBackendInstancesV2Request,
    ApigClient,
    BasicCredentials,
    Client,
    ClientBuilder,
    ClientRequestException,
    ConnectionsDesc,
    HttpConfig,
    ListBackendInstancesV2Request,
    MemberInfo,
    SdkResponse,
    ServerResponseException,
    UpdateEndpointConnectionsDescRequest,
    UpdateEndpointConnectionsDescRequestBody,
    VpcepClient,
    VpcMemberCreate,
)
from tests.functions.cloud.emulator.support import ECS_CHANNEL, INSTANCE, IP_CHANNEL, LISTENER, PROVIDER, SERVICE

# The SDK turns times into dates only where python-dateutil is installed, and says so where it is not.
pytestmark = pytest.mark.filterwarnings("ignore:Unable to convert string to date:ImportWarning")


class ListMembersResponse(SdkResponse):  # type: ignore[misc]
    """A bare array, as classic ELB answers; the SDK has no class for it."""

    openapi_types = {"body": "list[object]"}  # noqa: RUF012 - The SDK reads plain dicts.
    attribute_map = {"body": "body"}  # noqa: RUF012
    sensitive_list: list[str] = []  # noqa: RUF012

    def __init__(self, body: Any = None) -> None:
        super().__init__()
        self.body = body


class CheckRestorableResponse(SdkResponse):  # type: ignore[misc]
    """What CSBS answers; the SDK has no class for it."""

    openapi_types = {"restorable": "list[object]"}  # noqa: RUF012
    attribute_map = {"restorable": "restorable"}  # noqa: RUF012
    sensitive_list: list[str] = []  # noqa: RUF012

    def __init__(self, restorable: Any = None) -> None:
        super().__init__()
        self.restorable = restorable


class PlainClient(Client):  # type: ignore[misc]
    """The SDK's core without a service."""

    def __init__(self) -> None:
        super().__init__()
        self.model_package = SimpleNamespace(
            ListMembersResponse=ListMembersResponse, CheckRestorableResponse=CheckRestorableResponse
        )


class Sdk:
    """Clients of one emulator, all closed at the end."""

    def __init__(self, address: str, emulator: Emulator) -> None:
        self.emulator = emulator
        self._address = address
        self._opened: list[Any] = []

    def client(self, kind: Any, **other: str) -> Any:
        fake = self.emulator.credentials
        credentials = BasicCredentials(
            other.get("access", fake.access_key), other.get("secret", fake.secret_key), fake.project_id
        )
        if "security_token" in other:
            credentials = credentials.with_security_token(other["security_token"])
        builder = ClientBuilder(kind) if kind is PlainClient else kind.new_builder()
        config = HttpConfig(timeout=(5, 5))
        client = builder.with_credentials(credentials).with_endpoint(self._address).with_http_config(config).build()
        self._opened.append(client.get_http_client())
        return client

    def close(self) -> None:
        for client in self._opened:
            client.close()


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    monkeypatch.setenv("HOME", str(tmp_path))  # Where the SDK looks for its settings.
    cloud = Emulator(page_resource_id=True)
    with serving(cloud) as address:
        clients = Sdk(address, cloud)
        try:
            yield clients
        finally:
            clients.close()


def adding(channel: str, *members: MemberInfo) -> AddingBackendInstancesV2Request:
    body = VpcMemberCreate(members=list(members))
    return AddingBackendInstancesV2Request(instance_id=INSTANCE, vpc_channel_id=channel, body=body)


def describing(service: str, *connections: tuple[str, str]) -> UpdateEndpointConnectionsDescRequest:
    asked = [ConnectionsDesc(id=wanted, description=text) for wanted, text in connections]
    body = UpdateEndpointConnectionsDescRequestBody(connections=asked)
    return UpdateEndpointConnectionsDescRequest(vpc_endpoint_service_id=service, body=body)


def elb_members(client: Any, listener: str = LISTENER, **query: Any) -> Any:
    return client.do_http_request(
        "GET",
        "/v1.0/{project_id}/elbaas/listeners/{listener_id}/members",
        path_params={"listener_id": listener},
        query_params=list(query.items()),
        header_params={},
        response_type="ListMembersResponse",
        collection_formats={},
    ).body


def csbs_check(client: Any, provider: str = PROVIDER) -> Any:
    volume = {"backup_id": "7ea119a8-d25b-43a7-8d1b-88e12788513a", "volume_id": "45baf976-c20a-4894-a7c3-c94b7376bf55"}
    target = {
        "resource_type": "OS::Nova::Server",
        "resource_id": "5aa119a8-d25b-45a7-8d1b-88e127885635",
        "volumes": [volume],
    }
    item = {"checkpoint_item_id": "8986ce68-3da7-4d29-9cc2-1921e9504975", "target": target}
    return client.do_http_request(
        "POST",
        "/v1/{project_id}/providers/{provider_id}/resources/action",
        path_params={"provider_id": provider},
        header_params={},
        body={"check_restorable": [item]},
        response_type="CheckRestorableResponse",
        collection_formats={},
    ).restorable


def test_apig_example_1(sdk: Sdk) -> None:
    answer = sdk.client(ApigClient).adding_backend_instances_v2(
        adding(IP_CHANNEL, MemberInfo(host="192.168.2.25", weight=1))
    )
    assert (answer.status_code, answer.total, answer.size) == (201, 1, 1)
    member = answer.members[0]
    assert (member.host, member.weight, member.status) == ("192.168.2.25", 1, 1)
    assert (member.vpc_channel_id, len(member.id)) == (IP_CHANNEL, 32)


def test_apig_example_2_and_its_listing(sdk: Sdk) -> None:
    client = sdk.client(ApigClient)
    server = MemberInfo(ecs_id="1082720c-3c15-409c-9ae3-4983ddfb6a9d", ecs_name="APIGtest02", weight=2)
    answer = client.adding_backend_instances_v2(adding(ECS_CHANNEL, server))
    expected = [("192.168.0.17", "APIGtest02", 2), ("192.168.0.39", "APIGtest01", 1)]
    assert [(one.host, one.ecs_name, one.weight) for one in answer.members] == expected
    request = ListBackendInstancesV2Request(instance_id=INSTANCE, vpc_channel_id=ECS_CHANNEL, offset=1, limit=5)
    listed = client.list_backend_instances_v2(request)
    assert (listed.total, listed.size, listed.members[0].ecs_name) == (2, 1, "APIGtest01")


def test_vpcep_example(sdk: Sdk) -> None:
    texts = ("终端节点节点1, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26", "终端节点节点2")
    ids = ("0df78897-35b0-4a93-ad17-0bc0585f546b", "0d837f75-90d5-4528-bd11-5d974238ebca")
    request = describing(SERVICE, *zip(ids, texts, strict=True))
    answer = sdk.client(VpcepClient).update_endpoint_connections_desc(request)
    assert answer.status_code == 200
    seen = [(one.id, one.description, one.marker_id, one.status) for one in answer.connections]
    assert seen == [(ids[1], texts[1], 302008767, "accepted"), (ids[0], texts[0], 302001833, "accepted")]


def test_elb_example(sdk: Sdk) -> None:
    client = sdk.client(PlainClient)
    assert [(one["id"], one["health_status"]) for one in elb_members(client, limit=10, marker="0")] == [
        ("4ac8777333bc20777147ab160ea61baf", "NORMAL"),
        ("d8a21f107a19d7bd1d05a1f764eb623a", "ABNORMAL"),
    ]
    assert len(elb_members(client, server_address="172.16.0.15")) == 1


def test_csbs_example(sdk: Sdk) -> None:
    assert csbs_check(sdk.client(PlainClient)) == [
        {
            "resource_id": "6507cb66-90dc-4a12-a573-c9f3398f899d",
            "resource_type": "OS::Nova::Server",
            "result": True,
            "error_msg": "",
            "error_code": "",
        }
    ]


def test_a_temporary_key(sdk: Sdk) -> None:
    key = {
        "access": "EMULATORTEMPORARY00",
        "secret": "emulator-temporary-key-not-a-secret",
    }
    token = "emulator-security-token-not-a-secret"
    assert len(elb_members(sdk.client(PlainClient, **key, security_token=token))) == 2
    with pytest.raises(ClientRequestException):
        elb_members(sdk.client(PlainClient, **key))


@pytest.mark.parametrize("wrong", [{"secret": "wrong"}, {"access": "NOSUCHKEY"}])
def test_a_wrong_key_is_refused_as_the_gateway_does(sdk: Sdk, wrong: dict[str, str]) -> None:
    client = sdk.client(ApigClient, **wrong)
    with pytest.raises(ClientRequestException) as caught:
        client.adding_backend_instances_v2(adding(IP_CHANNEL, MemberInfo(host="192.168.2.25")))
    error = caught.value
    assert (error.status_code, error.error_code) == (401, "APIGW.0301")
    assert error.request_id == sdk.emulator.journal[-1].request_id


def test_errors_of_each_service_become_the_sdks_own(sdk: Sdk) -> None:
    plain = sdk.client(PlainClient)
    unknown_service = describing("00000000-0000-0000-0000-000000000000", (SERVICE, ""))
    calls: dict[tuple[int, str], Callable[[], Any]] = {
        (400, "APIG.2004"): lambda: sdk.client(ApigClient).adding_backend_instances_v2(
            adding(IP_CHANNEL, MemberInfo(host="192.168.2.25", weight=1000))
        ),
        (400, "EndPoint.2003"): lambda: sdk.client(VpcepClient).update_endpoint_connections_desc(unknown_service),
        (400, "ELB.6010"): lambda: elb_members(plain, listener="0" * 32),
        (400, "CSBS.9001"): lambda: csbs_check(plain, provider="wrong"),
    }
    for (status, code), fails in calls.items():
        with pytest.raises(ClientRequestException) as caught:
            fails()
        assert (caught.value.status_code, caught.value.error_code) == (status, code)


def test_a_fault_of_the_server_becomes_the_sdks_own(sdk: Sdk) -> None:
    sdk.emulator.faults.add(kind="throttle_500")
    with pytest.raises(ServerResponseException) as caught:
        elb_members(sdk.client(PlainClient))
    assert (caught.value.status_code, caught.value.error_code) == (500, "APIG.9008")
