"""What printers answer to ``~HS``, and what they answer instead: read strictly, and never taken for a printed label."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.clock import SimulatedClock
from drivers.virtual.printers import VirtualPrinter
from station.labels import LabelPrinter, PrinterTrouble
from station.labels.printer import PRINT_S, Status, read_status
from station.words.say import Say

ZPL = b"^XA^FO1,1^BXN,5,200^FDe00fce68^FS^XZ"
GOOD = VirtualPrinter(SimulatedClock()).status()
BUSY = GOOD.replace(b",00000000,", b",00000001,")

# --- one answer ---


def test_host_status_is_read_whole_and_no_part_of_it_counts() -> None:
    assert read_status(GOOD) == Status(False, False, False, False, 0)
    assert all(read_status(GOOD[:end]) is None for end in range(GOOD.rindex(b"\x03") + 1))
    assert all(read_status(GOOD[start:]) is None for start in range(1, len(GOOD)) if GOOD[start:].strip())


def test_an_answer_given_twice_counts_where_both_say_the_same() -> None:
    assert read_status(GOOD + GOOD) == read_status(GOOD)
    assert read_status(GOOD + BUSY) is None
    assert read_status(GOOD + GOOD[:-20]) is None


@pytest.mark.parametrize("at", range(0, len(GOOD), 7))
@pytest.mark.parametrize("junk", [b"x", b"\x00", b"\x02", b"\x03", b",", b"1", b"\x0230,0\x03", b"PRINTER READY\r\n"])
def test_anything_between_makes_it_no_answer(junk: bytes, at: int) -> None:
    """A digit more in a number of any length is the same answer; it says nothing else."""
    found = read_status(GOOD[:at] + junk + GOOD[at:])
    assert found is None or found == read_status(GOOD)


def test_lines_of_two_answers_in_another_order_are_none() -> None:
    one, two, three = GOOD.splitlines(keepends=True)
    for mixed in (one + three + two, two + one + three, one + one + two + three, one + two, two + three, three):
        assert read_status(mixed) is None


@given(st.binary(max_size=200))
def test_no_answer_of_a_printer_breaks_anything(answer: bytes) -> None:
    assert read_status(answer) is None or isinstance(read_status(answer), Status)


# --- a label in a printer that answers in its own manner ---

Says = Callable[[bytes], Sequence[tuple[float, bytes]]]


def in_pieces(answer: bytes) -> Sequence[tuple[float, bytes]]:
    return [(at * 0.002, answer[at : at + 10]) for at in range(0, len(answer), 10)]


MANNERS: dict[str, Says] = {
    "once": lambda answer: [(0.0, answer)],
    "twice": lambda answer: [(0.0, answer), (0.0, answer)],
    "twice, soon": lambda answer: [(0.0, answer), (0.05, answer)],
    "twice, late": lambda answer: [(0.0, answer), (0.7, answer)],
    "twice, later": lambda answer: [(0.0, answer), (1.1, answer)],
    "twice, after two seconds": lambda answer: [(0.0, answer), (2.0, answer)],
    "slow, twice": lambda answer: [(0.5, answer), (1.3, answer)],
    "slow, three times": lambda answer: [(0.5, answer), (1.3, answer), (1.5, answer)],
    "three times": lambda answer: [(0.0, answer), (0.4, answer), (0.9, answer)],
    "in pieces": in_pieces,
    "in pieces, twice": lambda answer: [*in_pieces(answer), *((0.7 + at, part) for at, part in in_pieces(answer))],
    "late": lambda answer: [(2.0, answer)],
    "with rubbish after it": lambda answer: [(0.0, answer), (0.3, b"\x02000,0,0,0,0\x03")],
}
"""How a printer answers -> what goes out when. All of them answer, so a label that comes out counts."""
MUTE: dict[str, Says] = {
    "nothing": lambda _answer: [],
    "half": lambda answer: [(0.0, answer[:40])],
    "too late": lambda answer: [(5.0, answer)],
    "rubbish before it": lambda answer: [(0.0, b"READY\r\n" + answer)],
    "rubbish within it": lambda answer: [(0.0, answer[:40] + b"\x07" + answer[40:])],
    "another printer's language": lambda _answer: [(0.0, b"@PJL INFO STATUS\r\nCODE=10001\r\n")],
}
"""What is no answer, whatever stands in it: the printer counts as one that does not answer."""


class Bench:
    """One printer and the clock of it."""

    def __init__(self, says: Says, *, is_node: bool = False) -> None:
        self.clock = SimulatedClock()
        self.virtual = VirtualPrinter(self.clock)
        self.virtual.says, self.virtual.is_node = says, is_node
        self.printer = LabelPrinter("bench", self.virtual.connect, self.clock)
        self.waited: list[Say] = []

    @contextlib.contextmanager
    def waits(self, says: Say) -> Iterator[None]:
        self.waited.append(says)
        yield

    def printed(self, patience_s: float = 0.0) -> bool:
        with self.clock.registered():
            return self.printer.print_label(ZPL, self.clock.token(), self.waits, patience_s)


@pytest.mark.parametrize("is_node", [False, True], ids=["network", "node"])
@pytest.mark.parametrize("says", MANNERS.values(), ids=MANNERS)
def test_whatever_way_a_printer_answers_a_label_that_comes_out_counts_and_is_sent_once(
    says: Says, is_node: bool
) -> None:
    bench = Bench(says, is_node=is_node)
    bench.virtual.takes_s = 3.0
    assert bench.printed(60.0)
    assert len(bench.virtual.labels) == 1


@pytest.mark.parametrize("is_node", [False, True], ids=["network", "node"])
@pytest.mark.parametrize("says", MANNERS.values(), ids=MANNERS)
def test_no_manner_of_answering_makes_a_label_count_that_is_still_in_the_printer(says: Says, is_node: bool) -> None:
    """What was asked before it got the label said that nothing was left, and may be heard only now."""
    bench = Bench(says, is_node=is_node)
    bench.virtual.fails_within = "is_stuck"
    assert not bench.printed()
    assert bench.virtual.labels == []
    assert bench.clock.now() >= PRINT_S


@pytest.mark.parametrize("is_node", [False, True], ids=["network", "node"])
@pytest.mark.parametrize("says", MUTE.values(), ids=MUTE)
def test_a_printer_whose_answers_are_none_is_one_that_does_not_answer_and_gets_no_label(
    says: Says, is_node: bool
) -> None:
    bench = Bench(says, is_node=is_node)
    with pytest.raises(PrinterTrouble, match="its answer to ~HS is no status"):
        bench.printed(30.0)
    assert bench.virtual.labels == []


@pytest.mark.parametrize("says", MUTE.values(), ids=MUTE)
def test_a_printer_that_falls_silent_with_a_label_in_it_leaves_it_in_doubt(says: Says) -> None:
    bench = Bench(MANNERS["once"])

    def then_mute(answer: bytes) -> Sequence[tuple[float, bytes]]:
        return says(answer) if bench.virtual.labels and not bench.waited else [(0.0, answer)]

    bench.virtual.says = then_mute
    assert not bench.printed(60.0)
    assert [one.key for one in bench.waited] == ["printer_away"]
    assert len(bench.virtual.labels) == 1


@pytest.mark.parametrize("trouble", ["is_paused", "is_head_open", "has_no_ribbon", "is_stuck", "is_away", "is_off"])
def test_a_label_is_sent_once_whatever_happens_to_the_printer_that_has_it(trouble: str) -> None:
    bench = Bench(MANNERS["once"])
    bench.virtual.fails_within = trouble
    sent: list[int] = []

    def mends() -> None:
        bench.clock.sleep(10.0)
        bench.virtual.mend()

    with bench.clock.registered():
        thread = bench.clock.thread("mends", mends)
        is_out = bench.printer.print_label(
            ZPL, bench.clock.token(), bench.waits, 60.0, lambda: sent.append(1),
        )  # fmt: skip
        thread.join()
    assert is_out is (trouble not in ("is_away", "is_off"))
    assert (len(bench.virtual.labels), sent) == (trouble != "is_off", [1])
