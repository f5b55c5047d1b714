from __future__ import annotations

import threading

from support.screen_story import AT, Story

from station.engine import events as ev
from station.tui.pump import MAX_WAITING, EventPump

STORY = Story(2)


def progress(slot: int, share: float, step: str = "device_os") -> ev.StepProgress:
    return ev.StepProgress(**STORY.head(slot), step=step, share=share)


def test_progress_coalesces_per_step_and_the_reader_is_woken_once() -> None:
    woken: list[int] = []
    pump = EventPump(lambda: woken.append(1))
    for share in (0.1, 0.2, 0.3):
        pump.put(progress(1, share))
        pump.put(progress(2, share))
    assert pump.take() == (progress(1, 0.3), progress(2, 0.3))
    assert woken == [1]
    pump.put(progress(1, 0.4))
    assert woken == [1, 1]


def test_progress_never_overtakes_another_event_of_its_slot() -> None:
    pump = EventPump(lambda: None)
    finished = STORY.ends(1)
    told = [progress(1, 0.1), finished, progress(1, 0.2)]
    for event in told:
        pump.put(event)
    assert list(pump.take()) == told


def test_verdicts_get_through_however_much_waits() -> None:
    pump = EventPump(lambda: None)
    for n in range(MAX_WAITING + 500):
        pump.put(ev.WireTraced(**STORY.head(1), line=str(n)))
    pump.put(STORY.ends(1))
    taken = pump.take()
    assert len(taken) == MAX_WAITING + 1
    assert taken[-1] == STORY.ends(1)


def test_after_close_nothing_is_kept() -> None:
    pump = EventPump(lambda: None)
    pump.put(STORY.ends(1))
    pump.close()
    pump.put(STORY.ends(2))
    assert pump.take() == ()


def test_events_of_many_threads_keep_their_own_order() -> None:
    pump = EventPump(lambda: None)

    def tell(slot: int) -> None:
        for n in range(200):
            pump.put(ev.OutboxChanged(at=AT, slot=slot, waiting=n))

    threads = [threading.Thread(target=tell, args=(slot,)) for slot in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [event for event in pump.take() if isinstance(event, ev.OutboxChanged)]
    for slot in (1, 2, 3):
        assert [event.waiting for event in taken if event.slot == slot] == list(range(200))
