"""What an error of the cloud means: (HTTP status, code) to a kind, by a few rules and a short list of exceptions.

The status alone does not tell: throttling arrives as 429, as 400 (`EndPoint.0022`) and as 500 (`APIG.9008`); `EndPoint.0011` is a 504
that no retry mends. Codes are compared without case, and the gateway's `APIGW.` counts as `APIG.`. Messages are never looked at: the
documentation tells users to match codes.
"""

from __future__ import annotations

import re

BY_STATUS = {
    400: "invalid_argument",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    405: "unimplemented",
    406: "invalid_argument",
    407: "unauthenticated",
    408: "deadline_exceeded",
    409: "aborted",
    410: "not_found",
    412: "failed_precondition",
    413: "invalid_argument",
    414: "invalid_argument",
    415: "invalid_argument",
    428: "failed_precondition",
    429: "resource_exhausted",
    431: "invalid_argument",
    494: "invalid_argument",
    500: "internal",
    501: "unimplemented",
    502: "unavailable",
    503: "unavailable",
    504: "deadline_exceeded",
}

# One code, two meanings: only the pair tells.
BY_STATUS_AND_CODE = {
    (
        400,
        "csbs.9009",
    ): "failed_precondition",  # quota cannot shrink below what is used; 403: the account is not verified
    (404, "apig.0101"): "unimplemented",  # the gateway has no such API: our address is wrong, no resource is missing
}

# Exceptions by code, whatever the status. A range counts its last part: `APIG.1011-1013`.
BY_CODE = {
    # Quotas are not throttling: waiting does not help, so they are failed_precondition.
    "resource_exhausted": "APIG.0308 APIG.9008 EndPoint.0022 IAM.0012 FSS.0429",
    "unavailable": """APIG.0605-0606 APIG.0608 APIG.0610 APIG.0613 APIG.1010 APIG.2035 APIG.9003-9007
        ELB.1201 EndPoint.0001 EndPoint.2004""",
    "deadline_exceeded": "EndPoint.0013",
    # Something else is under way on the same resource: later it works.
    "aborted": """CSBS.1001-1002 CSBS.2001 CSBS.2003-2004 CSBS.6015 CSBS.6030-6031 EndPoint.2019 EndPoint.2051""",
    "unauthenticated": "APIG.1000-1003 APIG.1007-1009 ELB.1102-1105 ELB.1109",
    # Also accounts that are frozen, in arrears or not verified: 401 in the table, but no new token helps.
    "permission_denied": """APIG.0502 APIG.1005 APIG.1011-1013 APIG.1119-1120 APIG.1201 BackupService.0403
        EndPoint.2012 EndPoint.3060""",
    "not_found": """CSBS.6000 CSBS.6040 ELB.1003 ELB.2011-2012 ELB.6002 ELB.6040 ELB.7010 ELB.7014 ELB.7020 EndPoint.2001 EndPoint.2003
        EndPoint.2009 EndPoint.2016 EndPoint.2020 EndPoint.2023-2025 EndPoint.2038 EndPoint.3008 EndPoint.4015""",
    "already_exists": """APIG.2029 CSBS.9007 ELB.1101 ELB.6101 EndPoint.2014 EndPoint.3044 EndPoint.3046 EndPoint.3059""",
    "invalid_argument": "APIG.9002 ELB.1061 EndPoint.0011-0012 EndPoint.2030",
    "unimplemented": "CSBS.9998",
    "failed_precondition": """APIG.0501 APIG.2034 APIG.3608 BackupService.4008 CSBS.0001 CSBS.5001 CSBS.9006 CSBS.9008
        ELB.1008 ELB.1013 ELB.1015 ELB.1018 ELB.1091 ELB.2001 ELB.6015 ELB.6030 ELB.6091
        EndPoint.1018 EndPoint.2013 EndPoint.2015 EndPoint.2018 EndPoint.2031 EndPoint.2039-2040 EndPoint.2042 EndPoint.2045-2047
        EndPoint.2049-2050 EndPoint.2052 EndPoint.3006 EndPoint.3045 EndPoint.3049 EndPoint.3056 EndPoint.3061 EndPoint.3069
        EndPoint.3074 EndPoint.4025""",
    # 400 in the tables, but the service failed inside ("Query ... failed"): neither the payload's fault nor known to pass.
    "internal": """APIC.9211 ELB.0004 ELB.1007 ELB.1010 ELB.1012 ELB.1014 ELB.2003 ELB.2005 ELB.3001-3005 ELB.4001-4005 ELB.5003
        ELB.5005 ELB.6004 ELB.6006 ELB.8001 ELB.8101-8103 ELB.8201-8203 ELB.9001-9003 ELB.9006-9007 ELB.9023 ELB.9033 ELB.9043
        ELB.9061-9064 EndPoint.1008 EndPoint.2021-2022 EndPoint.3001 EndPoint.3005 EndPoint.3022-3023 EndPoint.3040
        EndPoint.4001-4003 EndPoint.4005-4007 EndPoint.4009-4011 EndPoint.4013-4014 EndPoint.4016-4020 EndPoint.4026-4029""",
}

# Whole families, looked at last.
BY_FAMILY = (
    (re.compile(r"apig\.3[23]\d\d"), "already_exists"),
    (re.compile(r"apig\.(?:31|34)\d\d"), "failed_precondition"),  # quotas; resources in use or of the wrong type
    (re.compile(r"csbs\.[468]\d\d\d"), "failed_precondition"),  # the backup's, server's or image's state forbids it
)

# Answers that prove that the gateway passed nothing on, although their status alone would not.
_NOT_PASSED_ON = frozenset(
    {"apig.0605", "apig.0606", "apig.0608", "apig.0610", "apig.0613", "endpoint.0011", "endpoint.0012"}
)


def classify(status: int, code: str | None) -> str:
    """Return the kind of an answer, from its HTTP status and the cloud's own code (or None); `ok` for a 2xx."""
    if 200 <= status < 300:
        return "ok"
    key = normal(code)
    named = BY_STATUS_AND_CODE.get((status, key)) or _kinds().get(key) or _family(key)
    return named or BY_STATUS.get(status) or ("internal" if 500 <= status < 600 else "unknown")


def certainly_refused(status: int, code: str | None) -> bool:
    """Whether such an error answer proves that the request had no effect, so that sending it again is safe.

    A bare 503 does not: proxies say it too when the service went away in the middle of the request.
    """
    kind = classify(status, code)
    return 400 <= status < 500 or status == 501 or kind == "resource_exhausted" or normal(code) in _NOT_PASSED_ON


def lost_behind_gateway(status: int, code: str | None) -> bool:
    """Whether the answer leaves open what became of the request: a gateway that got none from the service, a redirect, no status known."""
    unclear = status in (502, 504) or (status == 503 and not code) or status < 400 or status >= 600
    return unclear and not certainly_refused(status, code)


def normal(code: str | None) -> str:
    """Return a code as it is compared: lower case, the gateway's `APIGW.` as `APIG.`; "" for none."""
    lowered = (code or "").lower()
    return "apig." + lowered[6:] if lowered.startswith("apigw.") else lowered


def _family(key: str) -> str | None:
    return next((kind for pattern, kind in BY_FAMILY if pattern.fullmatch(key)), None)


_table: dict[str, str] = {}


def _kinds() -> dict[str, str]:
    # Spread out on the first error, not at import: most processes never need it.
    if not _table:
        _table.update({code: kind for kind, codes in BY_CODE.items() for code in _spread(codes)})
    return _table


def _spread(codes: str) -> list[str]:
    spread = []
    for item in codes.lower().split():
        prefix, _, digits = item.rpartition(".")
        first, _, last = digits.partition("-")
        spread += [f"{prefix}.{number:04d}" for number in range(int(first), int(last or first) + 1)]
    return spread
