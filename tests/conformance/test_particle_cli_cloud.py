"""The vendor's command line program, unmodified, logged in to the virtual cloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conformance.cloud_clients import CloudCli
from support.cloud_bench import ARGON, BORON, BORON_SERIAL, ME, PRODUCT
from support.cloud_web import PASSWORD

from drivers.identity import Secret
from drivers.virtual.world import UnitFacts
from station.cloud.virtual import VirtualCloud

pytestmark = pytest.mark.conformance

OTP_SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def cli(cloud: VirtualCloud, tmp_path: Path) -> CloudCli:
    return CloudCli.at(tmp_path, cloud)


@pytest.fixture
def logged_in(cli: CloudCli) -> CloudCli:
    assert "Successfully completed login!" in cli("login", "--username", ME, "--password", PASSWORD)
    return cli


def connect(cloud: VirtualCloud) -> None:
    cloud.online(
        UnitFacts(
            device_id=str(ARGON), platform_id=12, device_os="4.2.0", is_safe_mode=False, product_id=None,
            product_version=None, serial_number="", iccid=None, imei=None, mac=None, claim_code=None,
        )
    )  # fmt: skip


def test_it_logs_in_says_who_it_is_and_logs_out(logged_in: CloudCli) -> None:
    assert ME in logged_in("whoami")
    token = logged_in.token
    assert len(token) == 40
    assert "logged out" in logged_in("logout")
    assert logged_in.run("whoami").returncode != 0
    refused = logged_in.run("login", "--token", token)
    assert refused.returncode != 0


def test_it_is_told_of_a_wrong_password(cli: CloudCli) -> None:
    done = cli.run("login", "--username", ME, "--password", "wrong")
    assert done.returncode != 0
    assert "User credentials are invalid" in done.stdout + done.stderr


def test_it_logs_in_with_a_second_factor(cli: CloudCli, cloud: VirtualCloud) -> None:
    cloud.create_user(ME, otp_secret=Secret(OTP_SECRET))
    code = cloud.one_time_password(ME)
    assert "Successfully completed login!" in cli("login", "--username", ME, "--password", PASSWORD, "--otp", code)
    assert ME in cli("whoami")


def test_it_logs_in_with_a_token(cli: CloudCli, cloud: VirtualCloud) -> None:
    assert "Successfully completed login!" in cli("login", "--token", cloud.create_token(ME).reveal())
    assert ME in cli("whoami")


def test_it_adds_lists_reads_and_removes_product_devices(
    logged_in: CloudCli, cloud: VirtualCloud, tmp_path: Path
) -> None:
    assert "Success!" in logged_in("product", "device", "add", str(PRODUCT), str(BORON))
    assert (cloud.device(BORON) or {})["product_id"] == PRODUCT
    file = tmp_path / "tray.txt"
    file.write_text(f"{BORON_SERIAL}\n{ARGON}\n")
    said = logged_in("product", "device", "add", str(PRODUCT), "--file", file)
    assert "Skipped Invalid IDs" in said
    assert str(ARGON) in said.partition("Skipped")[2]
    listed = json.loads(logged_in("product", "device", "list", str(PRODUCT), "--json"))
    assert [row["id"] for row in listed["data"]] == [str(BORON)]
    one = json.loads(logged_in("product", "device", "list", str(PRODUCT), str(BORON), "--json"))
    assert one["data"]["serial_number"] == str(BORON_SERIAL)
    assert "Success! Removed device" in logged_in("product", "device", "remove", str(PRODUCT), str(BORON))
    again = logged_in.run("product", "device", "remove", str(PRODUCT), str(BORON))
    assert again.returncode != 0
    assert "HTTP error 404" in again.stdout + again.stderr


def test_it_claims_lists_renames_and_removes_a_device_of_its_own(logged_in: CloudCli, cloud: VirtualCloud) -> None:
    offline = logged_in.run("cloud", "claim", str(ARGON))
    assert offline.returncode != 0
    connect(cloud)
    assert "Successfully claimed device" in logged_in("cloud", "claim", str(ARGON).upper())
    assert "Successfully renamed device" in logged_in("cloud", "name", str(ARGON), "bench-argon")
    listed = logged_in("cloud", "list")
    assert f"bench-argon [{ARGON}] (Argon) is online" in listed
    assert logged_in("cloud", "nyan", str(ARGON), "on") == ""
    assert "Okay!" in logged_in("cloud", "remove", str(ARGON), "--yes")
    assert "owner" not in (cloud.device(ARGON) or {})
    gone = logged_in.run("cloud", "name", str(ARGON), "x")
    assert "Permission Denied" in gone.stdout + gone.stderr


def test_it_is_told_that_a_device_is_somebody_elses(logged_in: CloudCli, cloud: VirtualCloud) -> None:
    cloud.edit_device(ARGON, owner="stranger@example.com")
    done = logged_in.run("cloud", "claim", str(ARGON))
    assert "That device belongs to someone else" in done.stdout


def test_it_subscribes_and_publishes(logged_in: CloudCli, cloud: VirtualCloud) -> None:
    cloud.edit_device(ARGON, owner=ME)
    with logged_in.start("subscribe", "--max", "1") as listening:
        assert listening.stdout is not None
        while not cloud._hub.open_streams("127.0.0.1"):
            assert listening.poll() is None
            cloud._clock.sleep(0.05)
        logged_in("publish", "batch/over", "42")
        said = listening.stdout.read()
        assert listening.wait() == 0
    assert '"name":"batch/over"' in said
    assert '"data":"42"' in said


def test_it_revokes_a_token(logged_in: CloudCli, cloud: VirtualCloud) -> None:
    other = cloud.create_token(ME).reveal()
    assert "Successfully revoked" in logged_in("token", "revoke", other)
    assert "Failed to revoke" in (done := logged_in.run("token", "revoke", other)).stdout + done.stderr
