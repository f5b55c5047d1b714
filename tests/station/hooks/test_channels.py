"""Ways to the other side of a hook: webhook, program, file drop; each whole, bounded and in its time, or not at all."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mes import Mes
from support.scarce_disk import files_of_at_most

from drivers.clock import SystemClock
from drivers.host.executable import SystemPrograms
from drivers.identity import Secret
from station.errors import BadInput
from station.hooks import HookTrouble, hook_of
from station.hooks.channel import MOST_REASON, MayStartAnswer, read_answer, read_may_start
from station.hooks.drop import FileDrop
from station.hooks.program import Program
from station.hooks.webhook import Webhook
from station.settings.config import load_config
from station.settings.outside import HookPlace
from station.settings.secrets import SecretSource

TOKEN = SystemClock().token()
PATIENCE_S = 120.0
"""For what answers, however busy the machine is."""


def script(folder: Path, text: str) -> Program:
    path = folder / "to-mes"
    path.write_text(f"#!{sys.executable}\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Program((str(path),), SystemPrograms())


def test_a_program_gets_the_message_on_its_standard_input_and_answers_on_its_output(tmp_path: Path) -> None:
    program = script(tmp_path, "import json, sys\nprint(json.dumps({'start': True, 'got': json.load(sys.stdin)}))")
    answer = program.send(b'{"event":"may_start"}', "k-1", PATIENCE_S, TOKEN)
    assert json.loads(answer) == {"start": True, "got": {"event": "may_start"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise SystemExit('no route to the plant')", "it ended with status 1: no route to the plant"),
        ("print('ok')", "its answer is no JSON"),
        (r"raise SystemExit('\x1b[31m\u202eall good')", "it ended with status 1: .?.31m.all good"),
        ("print('x' * 20_000)", "its answer has more than 16384 bytes"),
    ],
)
def test_a_program_that_fails_or_says_anything_else_took_nothing(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(HookTrouble, match=told) as refused:
        script(tmp_path, text).send(b"{}", "k-1", PATIENCE_S, TOKEN)
    assert str(refused.value).isprintable()


def test_a_program_that_hangs_is_killed_in_time(tmp_path: Path) -> None:
    with pytest.raises(HookTrouble, match="it did not end in time and was killed"):
        script(tmp_path, "import time\ntime.sleep(600)").send(b"{}", "k-1", 0.3, TOKEN)


def test_a_folder_gets_a_whole_file_for_each_message_and_the_same_one_twice_for_the_same(tmp_path: Path) -> None:
    drop = FileDrop(tmp_path / "in")
    for key, body in (
        ("bench 3-000000001", b'{"a":1}'),
        ("bench 3-000000002", b"{}"),
        ("bench 3-000000001", b'{"a":1}'),
    ):
        drop.send(body, key, PATIENCE_S, TOKEN)
    files = sorted((tmp_path / "in").iterdir())
    assert [file.name for file in files] == ["bench_3-000000001.json", "bench_3-000000002.json"]
    assert json.loads(files[0].read_bytes()) == {"a": 1}


def test_a_folder_that_cannot_be_written_took_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HookTrouble, match="cannot be written"):
        FileDrop(tmp_path / "file").send(b"{}", "k-1", PATIENCE_S, TOKEN)


def test_a_folder_on_a_share_that_is_gone_takes_nothing_until_it_is_back(tmp_path: Path) -> None:
    drop = FileDrop(tmp_path / "share" / "in")
    with pytest.raises(HookTrouble, match="cannot be written"):
        drop.send(b"{}", "k-1", PATIENCE_S, TOKEN)
    with pytest.raises(HookTrouble, match="share is not there; is it mounted"):
        drop.look(PATIENCE_S)
    assert not list(tmp_path.iterdir())
    (tmp_path / "share").mkdir()
    drop.look(PATIENCE_S)
    drop.send(b"{}", "k-1", PATIENCE_S, TOKEN)
    assert [file.name for file in drop.folder.iterdir()] == ["k-1.json"]


def test_a_full_disk_leaves_no_half_of_a_message_in_the_folder(tmp_path: Path) -> None:
    with files_of_at_most(5), pytest.raises(HookTrouble, match="File too large"):
        FileDrop(tmp_path).send(b'{"event":"finished"}', "k-1", PATIENCE_S, TOKEN)
    assert not list(tmp_path.iterdir())


def test_a_webhook_that_drips_is_cut_when_its_time_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.02):
                    try:
                        client.sendall(b"X-A: b\r\n"[:1])
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(HookTrouble, match="does not answer"):
            Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/x").send(b"{}", "k-1", 0.3, TOKEN)
        stop.set()
        thread.join()


def test_no_trouble_of_a_webhook_repeats_its_token() -> None:
    mes = Mes()
    mes.answer = lambda _message: (401, b'{"error": "tok-en"}')
    with mes.serving(), pytest.raises(HookTrouble) as refused:
        Webhook(mes.url, Secret("tok-en")).send(b"{}", "k-1", PATIENCE_S, TOKEN)
    assert str(refused.value) == f"http://127.0.0.1:{mes.port} answers with HTTP status 401"
    with pytest.raises(HookTrouble) as gone:
        Webhook(mes.url, Secret("tok-en")).send(b"{}", "k-1", PATIENCE_S, TOKEN)
    assert "tok-en" not in str(gone.value)


# --- answers ---


@given(st.binary(max_size=300))
def test_no_answer_from_outside_breaks_anything(raw: bytes) -> None:
    for read_one in (read_answer, read_may_start):
        with contextlib.suppress(HookTrouble):
            read_one(raw)


@given(st.booleans(), st.text(max_size=3000))
def test_a_sentence_from_outside_is_short_and_moves_no_cursor(starts: bool, reason: str) -> None:
    raw = json.dumps({"start": starts, "reason": reason}).encode()
    if len(raw) <= 16 * 1024:
        answer = read_may_start(raw)
        assert answer.starts is starts
        assert len(answer.reason) <= MOST_REASON
        assert answer.reason.isprintable()


def test_an_answer_that_says_both_yes_and_no_is_none() -> None:
    with pytest.raises(HookTrouble, match="no JSON"):
        read_may_start(b'{"start": true, "start": false}')


def test_a_reason_that_is_no_text_is_none() -> None:
    assert read_may_start(b'{"start": false, "reason": ["a"]}') == MayStartAnswer(False, "")


# --- the config file ---


def read(folder: Path, text: str) -> tuple[HookPlace, ...]:
    path = folder / "station.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path).hooks


def test_the_config_file_names_hooks_of_each_kind(tmp_path: Path) -> None:
    webhook, program, drop = read(
        tmp_path,
        '[[hooks]]\nname = "mes"\nevents = ["may_start", "finished"]\nurl = "https://mes/hook"\n'
        'token = "env:MES_TOKEN"\notherwise = "hold"\ntimeout_s = 2.5\n'
        '[[hooks]]\nname = "bell"\nevents = ["batch_closed"]\ncommand = ["python3", "-V"]\n'
        '[[hooks]]\nname = "files"\nevents = ["finished"]\nfolder = "/srv/in"\n',
    )
    secrets, programs = SecretSource({"MES_TOKEN": "abc"}), SystemPrograms()
    hook = hook_of(webhook, secrets, programs)
    assert (hook.holds, hook.timeout_s, hook.asks) == (True, 2.5, True)
    assert hook.channel == Webhook("https://mes/hook", Secret("abc")) or isinstance(hook.channel, Webhook)
    assert isinstance(hook_of(program, secrets, programs).channel, Program)
    assert hook_of(drop, secrets, programs).channel == FileDrop(Path("/srv/in"))
    with pytest.raises(BadInput, match=r"^token from env:MES_TOKEN: it holds nothing"):
        hook_of(webhook, SecretSource({}), programs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "mes"\nevents = ["finished"]', "one of url, command and folder, found none"),
        ('name = "mes"\nevents = ["finished"]\nurl = "https://a/"\nfolder = "/b"', "found url and folder"),
        ('name = "mes"\nevents = ["may_start"]\nfolder = "/b"', "no may_start for a folder: it answers nothing"),
        ('name = "mes"\nevents = ["finished"]\nurl = "http://mes/"\ntoken = "env:T"', "a token only where it"),
        ('name = "mes"\nevents = ["finished"]\nurl = "http://me:pw@mes/"', "url: expected an address"),
        ('name = "mes"\nevents = ["started"]\nurl = "https://a/"', "events: expected some of unit_arrived, may_start"),
        ('name = "mes"\nevents = []\nurl = "https://a/"', "1 to 4 of them"),
        ('name = "mes"\nevents = ["finished"]\nurl = "https://a/"\ntimeout_s = 600', "seconds from 0.5 to 60"),
        ('name = "mes"\nevents = ["finished"]\nurl = "https://a/"\ntoken = "abc"', "never the token itself"),
        ('name = "mes"\nevents = ["finished"]\nurl = "https://a/"\notherwise = "fail"', '"start" or "hold"'),
    ],
)  # fmt: skip
def test_what_the_config_file_says_of_hooks_is_checked(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path, f"[[hooks]]\n{text}\n")
    assert any(told in one for one in refused.value.sentences), refused.value.sentences


def test_a_program_that_is_not_there_is_told_before_the_first_unit() -> None:
    place = HookPlace("bell", ("finished",), command=("no-such-program",))
    with pytest.raises(BadInput, match="hook bell: there is no program no-such-program that may be run"):
        hook_of(place, SecretSource({}), SystemPrograms())
