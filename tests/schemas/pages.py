"""The examples of the API pages: payloads with the ids of their paths, and the cloud's answers."""

from __future__ import annotations

from typing import Any

PROJECT = "0605767a3300d5762fb7c0186d9e1779"
LISTENER = "65093734fb966b3d70f6af26cc63e125"
OTHER_LISTENER = "a659fe780a542e1adf204db767a021a3"
INSTANCE = "b1e4a54f8c9d4a6d9d5a2f3c7e6b5a41"
IP_CHANNEL = "56a7d7358e1b42459c9d730d65b14e59"
ECS_CHANNEL = "105c6902457144a4820dff8b1ad63331"
SERVER = "5aa119a8-d25b-45a7-8d1b-88e127885635"
SERVICE = "813d9300-8473-405b-bfcd-f711117bad65"
FIRST = "0df78897-35b0-4a93-ad17-0bc0585f546b"
SECOND = "0d837f75-90d5-4528-bd11-5d974238ebca"

ELB_REQUEST: dict[str, Any] = {"listener_id": LISTENER, "limit": 10, "marker": "0"}
ELB_ANSWER: list[dict[str, Any]] = [
    {
        "server_address": "172.16.0.16",
        "id": "4ac8777333bc20777147ab160ea61baf",
        "status": "ACTIVE",
        "address": "100.64.27.96",
        "listeners": [{"id": LISTENER}, {"id": OTHER_LISTENER}],
        "update_time": "2015-12-28 10:35:51",
        "create_time": "2015-12-28 10:35:50",
        "server_name": None,
        "server_id": "97444148-7afb-47cc-b4a3-6e1c94d1ade4",
        "health_status": "NORMAL",
    },
    {
        "server_address": "172.16.0.15",
        "id": "d8a21f107a19d7bd1d05a1f764eb623a",
        "status": "ACTIVE",
        "address": "100.64.27.95",
        "listeners": [{"id": LISTENER}, {"id": OTHER_LISTENER}],
        "update_time": "2015-12-28 10:35:51",
        "create_time": "2015-12-28 10:35:50",
        "server_name": None,
        "server_id": "05b731db-d457-41dc-a824-862daba91a59",
        "health_status": "ABNORMAL",
    },
]

APIG_HOST_REQUEST: dict[str, Any] = {
    "instance_id": INSTANCE,
    "vpc_channel_id": IP_CHANNEL,
    "members": [{"host": "192.168.2.25", "weight": 1}],
}
APIG_SERVER_REQUEST: dict[str, Any] = {
    "instance_id": INSTANCE,
    "vpc_channel_id": ECS_CHANNEL,
    "members": [{"ecs_id": "1082720c-3c15-409c-9ae3-4983ddfb6a9d", "ecs_name": "APIGtest02", "weight": 2}],
}
APIG_HOST_ANSWER: dict[str, Any] = {
    "total": 1,
    "size": 1,
    "members": [
        {
            "create_time": "2020-07-23T09:13:24Z",
            "host": "192.168.2.25",
            "id": "683b6807cad54122a6777ad047a6178e",
            "status": 1,
            "vpc_channel_id": IP_CHANNEL,
            "weight": 1,
        }
    ],
}
APIG_SERVER_ANSWER: dict[str, Any] = {
    "total": 2,
    "size": 2,
    "members": [
        {
            "create_time": "2020-07-23T09:03:53Z",
            "host": "192.168.0.17",
            "id": "5c868f0224084710a1e188b7d3057c52",
            "ecs_id": "1082720c-3c15-409c-9ae3-4983ddfb6a9d",
            "ecs_name": "APIGtest02",
            "status": 1,
            "vpc_channel_id": ECS_CHANNEL,
            "weight": 2,
        },
        {
            "create_time": "2020-07-23T07:24:34Z",
            "host": "192.168.0.39",
            "id": "33ac0e39d005492eb1f4683e66d1a0d1",
            "ecs_id": "ebe1104f-1254-4ac6-8ed7-366bec84f36e",
            "ecs_name": "APIGtest01",
            "status": 1,
            "vpc_channel_id": ECS_CHANNEL,
            "weight": 1,
        },
    ],
}

CSBS_REQUEST: dict[str, Any] = {
    "check_restorable": [
        {
            "checkpoint_item_id": "8986ce68-3da7-4d29-9cc2-1921e9504975",
            "target": {
                "resource_type": "OS::Nova::Server",
                "resource_id": SERVER,
                "volumes": [
                    {
                        "backup_id": "7ea119a8-d25b-43a7-8d1b-88e12788513a",
                        "volume_id": "45baf976-c20a-4894-a7c3-c94b7376bf55",
                    }
                ],
            },
        }
    ]
}
CSBS_ANSWER: dict[str, Any] = {
    "restorable": [
        {
            "resource_id": "6507cb66-90dc-4a12-a573-c9f3398f899d",
            "resource_type": "OS::Nova::Server",
            "result": True,
            "error_msg": "",
            "error_code": "",
        }
    ]
}

VPCEP_REQUEST: dict[str, Any] = {
    "vpc_endpoint_service_id": SERVICE,
    "connections": [
        {
            "id": FIRST,
            "description": "终端节点节点1, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26",
        },
        {"id": SECOND, "description": "终端节点节点2, 属于账户[7876999999999]iaas_commonnet_odin_26"},
    ],
}
VPCEP_ANSWER: dict[str, Any] = {
    "connections": [
        {
            "id": SECOND,
            "status": "accepted",
            "description": "终端节点节点2, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26",
            "marker_id": 302008767,
            "domain_id": "05b5408a0a80d2b10f06c0184a774460",
            "created_at": "2022-04-14T02:09:08Z",
            "updated_at": "2022-04-14T07:55:40Z",
        },
        {
            "id": FIRST,
            "status": "accepted",
            "description": "终端节点节点1, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26",
            "marker_id": 302001833,
            "domain_id": "05b5408a0a80d2b10f06c0184a774460",
            "created_at": "2022-04-14T01:59:31Z",
            "updated_at": "2022-04-14T07:57:39Z",
        },
    ]
}
