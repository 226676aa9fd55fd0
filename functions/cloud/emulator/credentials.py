"""The keys and names an emulator accepts, plainly fake, for the demo, the command line and the tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.cloud.emulator.seed import default_seed


@dataclass(frozen=True)
class Credentials:
    """One of each: a permanent access key, and a user for tokens; none of them is worth anything elsewhere."""

    access_key: str
    secret_key: str
    project_id: str
    region: str
    user: str
    password: str
    domain: str

    def exports(self) -> str:
        """Lines for a shell, named as the official SDK names its settings."""
        values = {"AK": self.access_key, "SK": self.secret_key, "PROJECT_ID": self.project_id, "REGION": self.region}
        return "".join(f"export HUAWEICLOUD_SDK_{name}={value}\n" for name, value in values.items())


def fake_credentials(identity: Mapping[str, Any] | None = None) -> Credentials:
    """Read the first access key and user of a seed's `identity`; of the packaged seed when none is given."""
    known = identity or default_seed()["identity"]
    key, user = known["access_keys"][0], known["users"][0]
    return Credentials(
        access_key=key["access"],
        secret_key=key["secret"],
        project_id=key["project_id"],
        region=known["region"],
        user=user["name"],
        password=user["password"],
        domain=known["domain"]["name"],
    )
