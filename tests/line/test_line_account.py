"""The account of a running line: what stops a batch at its start, and a token or a right that is lost in the middle."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from line_bench import ARGON, BORON, DEVELOPER, ME, PRODUCTS, LineBench, Recipe, line_bench, replace
from support.known_steps import STEPS

from station.cli.main import main
from station.cloud.virtual.routes import ROUTES
from station.engine.commands import OpenBatch
from station.engine.events import (
    AttemptFinished,
    BatchOpened,
    CloudStateChanged,
    CommandRefused,
    StationFault,
    StationNote,
    StepHeld,
    StepStarted,
)
from station.errors import BadInput
from station.model import Verdict
from station.settings.logins import LoginStore, TokenSource
from station.settings.secrets import LOGIN, SecretRef, SecretSource

BUSY = replace(
    BORON, online=True,
    more='[groups]\nnames = ["rev-b"]\n[notes]\ntext = "order 4711"\n[firmware_lock]\nversion = 7\n',
)  # fmt: skip
"""A product's profile with every step of the cloud that an API user can do."""


def scopes_of(recipe: Recipe) -> tuple[str, ...]:
    return tuple(STEPS.scopes(recipe.profile()))


def become_api_user(bench: LineBench, *scopes: str) -> None:
    name = "line+1@api.particle.io"
    bench.token = bench.cloud.create_token(name, is_api=True, scopes=scopes)
    bench._secrets.append(bench.token.reveal())
    for slug, number in PRODUCTS.items():
        bench.cloud.create_product(number, 0, slug=slug, name=slug, team=[name])


# --- what a batch is opened over ------------------------------------------------------------------


@pytest.mark.rule("E8")
@pytest.mark.parametrize("recipe", [BORON, replace(BORON, claim=True)], ids=["unclaimed", "claimed"])
def test_a_stranger_is_refused_when_the_batch_is_opened_and_not_at_its_first_unit(
    recipe: Recipe, tmp_path: Path
) -> None:
    with line_bench(tmp_path) as bench:
        bench.token = bench.cloud.create_token("stranger@example.com")
        with pytest.raises(BadInput, match=r"stranger@example.com is not in the team of product 20001.*\(E8\)"):
            bench.restart(recipe)
        bench._is_running = False
        assert bench.cloud_writes == 0


def test_a_batch_asked_for_by_keyboard_is_refused_with_the_reason_and_the_others_go_on(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.write_firmware(*ARGON.files())
        profile = tmp_path / "argon.toml"
        profile.write_text(ARGON.text())
        bench.token = bench.cloud.create_token(ME, expires_in=600)
        bench.command(OpenBatch("B-2", str(profile)))
        refused = next(event for _, event in bench.events if isinstance(event, CommandRefused))
        assert "expires in 10 min" in refused.reason
        assert "run: station login" in refused.reason
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS


@pytest.mark.rule("J4")
def test_a_product_that_admits_everybody_is_told_to_the_line_and_stops_nothing(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        bench.cloud.edit_product(PRODUCTS["boron"], quarantine=0)
        mark = bench.mark()
        bench.restart(BORON)
        told = [event for _, event in bench.events[mark:] if isinstance(event, StationNote)]
        assert ["auto-approve" in event.reason and "(J4)" in event.reason for event in told] == [True]
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS


def test_a_line_begins_while_the_cloud_is_away(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        bench.cloud.down_for(600)
        mark = bench.mark()
        bench.restart(BORON)
        assert isinstance(bench.wait_for(BatchOpened, since=mark), BatchOpened)
        assert not [event for _, event in bench.events[mark:] if isinstance(event, StationFault)]


# --- rights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [BORON, BUSY, ARGON], ids=["usual", "all steps", "argon"])
def test_an_api_user_with_what_its_steps_ask_for_makes_units_and_each_route_is_covered(
    recipe: Recipe, tmp_path: Path
) -> None:
    """The virtual cloud knows the scope of each route by the reference; the steps say what they ask for."""
    with line_bench(tmp_path) as bench:
        become_api_user(bench, *scopes_of(recipe))
        bench.restart(recipe)
        if "firmware_lock" in recipe.more:
            bench.cloud.create_firmware(PRODUCTS[recipe.platform], 7, recipe.program("lock").data)
        walk = bench.walk(bench.finished_unit(recipe))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        used = {route.scope for route in ROUTES for one in bench.cloud.requests() if one.route == route.name}
        assert used - {""} <= set(scopes_of(recipe))


# --- in the middle of a shift ---------------------------------------------------------------------


def kept(bench: LineBench, tmp_path: Path) -> Path:
    """A station that works with what `station login` keeps; the config file to name in other terminals."""
    config = tmp_path / "config" / "station.toml"
    config.parent.mkdir()
    config.write_text(f'[cloud]\nurl = "{bench.cloud.base_url}"\n')
    store = LoginStore(config.parent, bench.cloud.base_url)
    bench.token_source = TokenSource(SecretRef(LOGIN, "NOT_SET"), store, SecretSource({}))
    return config


def log_in_elsewhere(bench: LineBench, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in another terminal: the same program, which shares nothing with the running station but its files."""
    token = bench.cloud.create_token(ME)
    bench._secrets.append(token.reveal())
    monkeypatch.setattr("sys.stdin", io.StringIO(token.reveal() + "\n"))
    assert main(["login", "--token-stdin", "--config", str(config)]) == 0


@pytest.fixture
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.mark.rule("N4")
@pytest.mark.parametrize("recipe", [BORON, ARGON, DEVELOPER], ids=["queue", "hold", "developer"])
@pytest.mark.parametrize("loss", ["expired", "logged out"])
def test_a_token_lost_in_the_middle_holds_the_line_until_somebody_logs_in_elsewhere(
    recipe: Recipe, loss: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_ring: None
) -> None:
    with line_bench(tmp_path, slots=2) as bench:
        config = kept(bench, tmp_path)
        log_in_elsewhere(bench, config, monkeypatch)
        bench.restart(recipe)
        unit = bench.finished_unit(recipe)
        bench.plug(unit)
        bench.wait(lambda event: isinstance(event, StepStarted) and event.step == "identify")
        if loss == "expired":
            bench.cloud.revoke_tokens(ME)
        else:
            LoginStore(config.parent, bench.cloud.base_url).forget()
        held = bench.wait_for(StepHeld, sentence="token_rejected")
        bench.plug(bench.finished_unit(recipe, 2), 2)
        bench.wait_for(StepHeld, sentence="token_rejected", slot=2)
        bench.sleep(600.0)
        assert not [event for _, event in bench.events if isinstance(event, AttemptFinished)]
        log_in_elsewhere(bench, config, monkeypatch)
        for slot in (1, 2):
            finished = bench.wait_finished(slot)
            assert finished.verdict is Verdict.PASS, finished.reason
            assert bench.when(finished) > bench.when(held) + 600


@pytest.mark.rule("N4")
@pytest.mark.parametrize("step", ["identify", "product_add", "name"])
def test_a_token_that_dies_in_mid_shift_pauses_a_line_that_queues_and_sets_no_unit_aside(
    step: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        mark = bench.mark()
        bench.plug(bench.finished_unit(BORON, 1))
        bench.wait(lambda event: isinstance(event, StepStarted) and event.step == step, since=mark)
        bench.cloud.revoke_tokens(ME)
        held = bench.wait_for(StepHeld, sentence="token_rejected", since=mark)
        bench.plug(bench.finished_unit(BORON, 2), 2)
        bench.wait_for(StepHeld, sentence="token_rejected", slot=2)
        bench.sleep(600.0)
        assert not [event for _, event in bench.events[mark:] if isinstance(event, AttemptFinished)]
        bench.token = bench.cloud.create_token(ME)
        for slot in (1, 2):
            finished = bench.wait_finished(slot, since=mark)
            assert finished.verdict is Verdict.PASS, finished.reason
            assert bench.when(finished) > bench.when(held) + 600


def test_a_token_that_dies_while_the_cloud_is_away_pauses_nothing(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        bench.token = bench.cloud.create_token(ME, expires_in=9 * 3600)
        bench.restart(BORON)
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        bench.cloud.down_for(12 * 3600)
        bench.sleep(10 * 3600)
        walk = bench.walk(bench.finished_unit(BORON, 1))
        assert walk.verdict is Verdict.PENDING, walk.finished.reason
        bench.sleep(3 * 3600)
        mark = bench.mark()
        bench.plug(bench.finished_unit(BORON, 2))
        bench.wait_for(StepHeld, sentence="token_rejected", since=mark)
        bench.token = bench.cloud.create_token(ME)
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS


@pytest.mark.rule("N4")
def test_a_token_is_not_used_in_its_last_five_minutes_and_no_unit_starts_with_it(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        bench.token = bench.cloud.create_token(ME, expires_in=40 * 60)
        bench.restart(ARGON)
        (told,) = [event for _, event in bench.events if isinstance(event, StationNote)]
        assert "it expires within this shift" in told.reason
        assert bench.walk(bench.finished_unit(ARGON)).verdict is Verdict.PASS
        bench.sleep(35 * 60)
        mark = bench.mark()
        bench.plug(bench.finished_unit(ARGON, 2))
        bench.wait_for(StepHeld, sentence="token_rejected", since=mark)
        assert 401 not in {one.status for one in bench.cloud.requests()}  # it still was good
        bench.token = bench.cloud.create_token(ME)
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS


def test_the_clouds_light_is_unknown_until_somebody_asked(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        assert bench.station.client.reachable is None
        assert not [event for _, event in bench.events if isinstance(event, CloudStateChanged)]
