from functions.cloud.emulator.credentials import fake_credentials
from tests.functions.cloud.emulator.support import PROJECT, emulator, seed_copy


def test_they_are_the_seeds_and_plainly_fake() -> None:
    fake = fake_credentials()
    assert fake == emulator().credentials
    assert (fake.access_key, fake.secret_key) == ("EMULATORACCESSKEY00", "emulator-secret-key-not-a-secret")
    assert (fake.project_id, fake.region, fake.domain) == (PROJECT, "cn-north-4", "emulator-domain")
    assert (fake.user, fake.password) == ("emulator-user", "emulator-password-not-a-secret")


def test_an_emulator_tells_its_own() -> None:
    seed = seed_copy()
    seed["identity"]["access_keys"][0]["access"] = "ANOTHERFAKEKEY"
    assert emulator(seed=seed).credentials.access_key == "ANOTHERFAKEKEY"


def test_the_exports_are_lines_for_a_shell() -> None:
    assert fake_credentials().exports() == (
        "export HUAWEICLOUD_SDK_AK=EMULATORACCESSKEY00\n"
        "export HUAWEICLOUD_SDK_SK=emulator-secret-key-not-a-secret\n"
        f"export HUAWEICLOUD_SDK_PROJECT_ID={PROJECT}\n"
        "export HUAWEICLOUD_SDK_REGION=cn-north-4\n"
    )
