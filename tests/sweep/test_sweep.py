"""A sample of ``make sweep``, and that it finds what it looks for."""

from __future__ import annotations

import pytest
from sweep.__main__ import table
from sweep.cuts import UPDATES, Cut, Harm, Update, ended

SAMPLE = [
    Cut(update, harm, number)
    for place, update in enumerate(UPDATES)
    for harm, number in ((Harm.TORN, 20 + 7 * place), (Harm.FAILS, 3 + 5 * place), (Harm.BETWEEN, 400 + 37 * place))
]


@pytest.mark.rule("H9")
@pytest.mark.parametrize("cut", SAMPLE, ids=str)
def test_a_unit_disturbed_while_it_is_written_ends_as_its_profile_wants_it(cut: Cut) -> None:
    end = ended(cut)
    assert not end.problem
    assert end.is_lost or end.verdicts[-1] == "PASS"


def test_a_unit_of_gen_2_whose_bootloader_is_torn_is_lost_and_that_was_said() -> None:
    """No order of writes avoids that window, so the plan announces it (firmware-and-dfu 7.1)."""
    update = Update("photon", "1.5.2", "2.3.1")
    ends = [ended(Cut(update, Harm.TORN, number)) for number in range(16, 21)]
    assert [end.problem for end in ends] == [""] * len(ends)
    assert any(end.is_lost for end in ends)


def test_every_family_is_swept() -> None:
    assert {"photon", "electron", "argon", "boron", "tracker", "p2", "msom"} <= {update.slug for update in UPDATES}


def test_the_table_counts_what_became_of_the_units() -> None:
    cut = Cut(UPDATES[0], Harm.TORN, 1)
    row: dict[str, object] = {"end": "hands", "problem": ""}
    _, line, *_ = table([cut], {str(cut): row})
    assert line.split()[-5:] == ["torn", "0", "1", "0", "0"]
