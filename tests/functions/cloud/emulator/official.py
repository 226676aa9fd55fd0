"""The official SDK's parts that the tests use, imported with a home folder of their own: its import writes ~/.huaweicloud."""

import os
import tempfile
from unittest import mock

with tempfile.TemporaryDirectory() as _home, mock.patch.dict(os.environ, {"HOME": _home}):
    from huaweicloudsdkapig.v2 import (
        AddingBackendInstancesV2Request,
        ApigClient,
        ListBackendInstancesV2Request,
        MemberInfo,
        VpcMemberCreate,
    )
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.client import Client, ClientBuilder
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServerResponseException
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.sdk_response import SdkResponse
    from huaweicloudsdkcore.signer.signer import Signer
    from huaweicloudsdkvpcep.v1 import (
        ConnectionsDesc,
        UpdateEndpointConnectionsDescRequest,
        UpdateEndpointConnectionsDescRequestBody,
        VpcepClient,
    )

__all__ = [
    "AddingBackendInstancesV2Request",
    "ApigClient",
    "BasicCredentials",
    "Client",
    "ClientBuilder",
    "ClientRequestException",
    "ConnectionsDesc",
    "HttpConfig",
    "ListBackendInstancesV2Request",
    "MemberInfo",
    "SdkRequest",
    "SdkResponse",
    "ServerResponseException",
    "Signer",
    "UpdateEndpointConnectionsDescRequest",
    "UpdateEndpointConnectionsDescRequestBody",
    "VpcMemberCreate",
    "VpcepClient",
]
