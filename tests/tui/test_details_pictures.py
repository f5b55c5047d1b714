"""Pictures of a technician's view, for eyes: behaviour is tested elsewhere. Renew with ``--snapshot-update``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.screen_pilot import press
from support.screen_story import AT, Story
from textual.pilot import Pilot

from station.engine import events as ev
from station.engine.records import UnitFacts
from station.model import AS_IT_IS, IdentityFact, Measurement, Outcome, Verdict
from station.words.say import Say

STEPS = ("identify", "dfu", "device_os", "firmware", "product_add", "name", "wifi", "setup_done", "online")
ENDED = (
    ("dfu", Outcome.SKIPPED, 0.1, "nothing to write"),
    ("device_os", Outcome.ALREADY, 0.0, "bootloader 3001 read back equal, system part 6304 read back equal"),
    ("firmware", Outcome.DONE, 21.4, "application 7 read back equal, 128 KiB"),
    ("product_add", Outcome.DONE, 1.2, "the cloud shows it in product 12345"),
    ("name", Outcome.DEFERRED, 0.4, "the cloud did not answer; it is queued"),
)
WHY = "joining the network 'factory' failed twice with not found (-170); two other units joined it meanwhile"
MODULES = (
    ("bootloader", "6.3.4", "6.3.4"), ("system part 1", "6304", "6304"), ("SoftDevice", AS_IT_IS, "202"),
    ("application", "7", "7"),
)  # fmt: skip


def unit(story: Story) -> Iterator[ev.Event]:
    """One unit up to its Wi-Fi, with values that agree, changed, and differ."""
    head = story.head(1)
    yield ev.UnitArrived(at=AT, slot=1, port_path="1-1.4", platform="Argon", mode="application")
    yield ev.AttemptStarted(**head, port_path="1-1.4", batch="2026-11-22-A", profile="argon-product", steps=STEPS)
    facts = (
        IdentityFact("device_id", head["device_id"], "USB serial string"),
        IdentityFact("device_id", head["device_id"], "request 20"),
        IdentityFact("serial", "P044AB1234501", "request 21"), IdentityFact("serial", "P044AB1234501", "label"),
        IdentityFact("device_os", "3.3.1", "raw request 30"), IdentityFact("mac", "94:94:4a:12:34:56", "request 401"),
    )  # fmt: skip
    yield ev.UnitIdentified(**head, platform="Argon", label="P044AB1234501", facts=facts)
    yield ev.StepFinished(**head, step="identify", outcome=Outcome.DONE, seconds=0.8, proof="6 values agree")
    yield ev.ModulesRead(**head, rows=MODULES)
    for step, outcome, seconds, why in ENDED:
        yield ev.StepFinished(**head, step=step, outcome=outcome, seconds=seconds, proof=why)
    yield UnitFacts(**head, facts=(IdentityFact("device_os", "6.3.4", "raw request 30"),))
    yield ev.WireTraced(**head, line="request 21 SERIAL_NUMBER: P044AB1234501, 3 ms", raw="sent 0 bytes; got 15 bytes")
    yield ev.WireTraced(**head, line="request 506 SCAN_NETWORKS: 2: factory, guest, 4103 ms")


def failed(story: Story) -> Iterator[ev.Event]:
    head = story.head(1)
    yield from unit(story)
    signal = Measurement("signal", -82.0, "dBm", low=-70.0, is_out=True)
    yield ev.StepFinished(
        **head, step="wifi", outcome=Outcome.FAILED, seconds=75.2, reason=WHY, measurements=(signal,)
    )  # fmt: skip
    yield ev.AttemptFinished(
        **head, verdict=Verdict.FAIL, failed_step="wifi", say=Say("wifi_join_failed"), reason=WHY, seconds=101.3
    )
    yield ev.LightSeen(**head, light="blinking green")


def passed(story: Story) -> Iterator[ev.Event]:
    head = story.head(1)
    yield from unit(story)
    for step in STEPS[6:]:
        yield ev.StepFinished(**head, step=step, outcome=Outcome.DONE, seconds=4.0, proof="read back")
    yield ev.AttemptFinished(**head, verdict=Verdict.PASS, say=Say("pass"), seconds=41.3)


@pytest.mark.parametrize(
    ("told", "size", "keys"),
    [
        (failed, (80, 24), ()), (failed, (160, 50), ("v",)), (failed, (80, 24), ("tab", "tab")),
        (failed, (120, 40), ("p",)), (passed, (120, 40), ()),
    ],
    ids=["fail_small", "fail_large_bytes", "fail_small_firmware", "light_seen", "pass"],
)  # fmt: skip
def test_the_details_look_as_they_did(
    snap_compare: Callable[..., bool],
    told: Callable[[Story], Iterator[ev.Event]],
    size: tuple[int, int],
    keys: tuple[str, ...],
) -> None:
    story = Story(1)
    app = story.app()

    async def tell(pilot: Pilot[None]) -> None:
        for event in (*story.opened(), *told(story)):
            app.feed(event)
        await pilot.pause()
        await press(pilot, "enter", *keys)

    assert snap_compare(app, terminal_size=size, run_before=tell)
