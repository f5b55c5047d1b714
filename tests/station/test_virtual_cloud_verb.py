"""``station virtual cloud``: a virtual cloud for other processes, with units that come online by themselves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from support import child_process

from drivers.clock import Deadline, SystemClock
from station.cli.main import main

WORDS = [sys.executable, "-m", "station", "virtual", "cloud", "--json"]
CARD = "8934076500002589174"


@contextmanager
def served(*arguments: str) -> Iterator[dict[str, Any]]:
    """What a cloud says of itself; it is told to end as a service is."""
    server = child_process.start([*WORDS, *arguments], stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())
        finally:
            server.terminate()
    assert server.returncode == 0


def ask(told: dict[str, Any], method: str, path: str, body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {told['accounts'][0]['token']}"}
    return requests.request(method, told["url"] + path, json=body, headers=headers, timeout=60).json()


def test_it_tells_its_address_accounts_products_and_units_and_lets_them_in() -> None:
    with served("--team", "a@x.example,b@x.example", "--product", "boron=20001:widget", "--mfa", "--sim", CARD) as told:
        assert [row["username"] for row in told["accounts"]] == ["a@x.example", "b@x.example"]
        assert told["products"] == [{"id": 20001, "slug": "widget", "platform": "boron"}]
        assert ask(told, "GET", "/v1/products/widget")["product"]["platform_id"] == 13
        form = {
            "grant_type": "password", "client_id": "particle", "client_secret": "particle",
            "username": "b@x.example", "password": told["accounts"][1]["password"],
        }  # fmt: skip
        answer = requests.post(told["url"] + "/oauth/token", data=form, timeout=60)
        assert (answer.status_code, answer.json()["error"]) == (403, "mfa_required")
        assert ask(told, "POST", "/v1/products/widget/sims", {"sims": [CARD]}) == {"ok": True}
        assert ask(told, "GET", f"/v1/products/widget/sims/{CARD}")["activations_count"] == 1


def test_a_cellular_unit_comes_online_by_itself_once_its_sim_is_active() -> None:
    clock = SystemClock()
    with served("--unit", "boron@6.3.4:normal") as told:
        (unit,) = told["units"]
        path = f"/v1/products/boron-product/devices/{unit['device_id']}"
        ask(told, "POST", "/v1/products/boron-product/devices", {"id": unit["serial"]})
        assert ask(told, "GET", path)["iccid"] == unit["iccid"]
        patience = Deadline.after(clock, 300.0)
        while not ask(told, "GET", path)["online"]:
            assert not patience.expired
            clock.sleep(0.5)
        assert ask(told, "GET", path)["system_firmware_version"] == "6.3.4"
        assert main(["unit", "list", "--json", "--usb", told["usb"]]) == 0


def test_what_was_done_is_there_the_next_time_and_old_tokens_still_work(tmp_path: Path) -> None:
    arguments = ("--data-dir", str(tmp_path), "--unit", "boron@6.3.4:normal")
    with served(*arguments) as first:
        device_id = first["units"][0]["device_id"]
        ask(first, "POST", "/v1/products/boron-product/devices", {"id": device_id})
        ask(first, "PUT", f"/v1/products/boron-product/devices/{device_id}", {"name": "kept"})
    with served(*arguments) as second:
        assert second["units"] == first["units"]
        assert second["accounts"][0]["token"] != first["accounts"][0]["token"]
        told = {"url": second["url"], "accounts": first["accounts"]}
        assert ask(told, "GET", f"/v1/products/boron-product/devices/{device_id}")["name"] == "kept"


def test_faults_are_ordered_by_name() -> None:
    with served("--fault", "429;GET /v1/user;retry-after=30") as told:
        answer = requests.get(told["url"] + "/v1/user", timeout=60)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_people_are_told_in_lines_until_ctrl_c() -> None:
    words = [word for word in WORDS if word != "--json"]
    with child_process.start(words, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        account, product, last = (server.stdout.readline() for _ in range(3))
        server.send_signal(signal.SIGINT)
        assert server.stdout.read() == ""
    assert server.returncode == 0
    assert account.startswith("username factory@example.com  token ")
    assert product.split() == ["id", "20013", "slug", "boron-product", "platform", "boron"]
    assert last.startswith("serving http://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--product", "boron:x"], "--product boron:x: write PLATFORM[=NUMBER[:SLUG]]"),
        (["--product", "toaster"], "--product toaster:"),
        (["--unit", "toaster"], "--unit toaster:"),
        (["--sim", "123"], "--sim 123:"),
        (["--fault", "sometimes"], "--fault sometimes: 'sometimes' is no status such as 429 and none of html,"),
        (["--port", "99999999"], "--port 99999999:"),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["virtual", "cloud", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_port_that_another_cloud_serves_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with served() as told:
        port = told["url"].rpartition(":")[2]
        assert main(["virtual", "cloud", "--port", port]) == 2
    assert f"--port {port}: " in capsys.readouterr().err
