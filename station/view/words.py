"""The one catalogue of what the station says to an operator.

Every line has at most eight words and 36 characters, every entry names one action, light colours are said in the
unit's own LED words, and nothing names software. The engine sends *keys* of this catalogue with
values; an unknown key falls back to the reason of the record, so nothing is ever left unsaid.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..local_time import zone
from ..model import VERDICT_WORD, Outcome, SeenBefore, Verdict
from .text import clean, seconds

MAX_WORDS = 8
MAX_LINE = 36  # characters of one line, with values of ordinary length
MAX_ENTRIES = 140
_MAX_VALUE = 24  # characters of one value inside a sentence


@dataclass(frozen=True, slots=True)
class Sentence:
    """``says`` what is the matter, ``do`` is the one action. ``{0}`` is a value, ``{a 0}`` with its article,
    ``{t 0}`` a time, ``{v 0}`` the word for a verdict."""

    says: tuple[str, ...] = ()
    do: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.says, self.do) if self.do else self.says


UNPLUG = "Unplug."
RED = "Red bin."
TECHNICIAN = "Technician."
SET_ASIDE = "Set-aside tray."
SUPERVISOR = "Call supervisor."
AGAIN = "Plug it in again."

SENTENCES: dict[str, Sentence] = {
    # good ends
    "pass": Sentence((), UNPLUG),
    "pending": Sentence(("Finished when the cloud answers.",), SET_ASIDE),
    "sim_pending": Sentence(("SIM is not active yet.",), SET_ASIDE),
    # the wrong unit
    "wrong_platform": Sentence(("This is {a 0}.", "This batch wants {1}."), RED),
    "no_profile": Sentence(("No open batch for {a 0}.",), SUPERVISOR),
    "wrong_label": Sentence(("Label and unit do not match.",), TECHNICIAN),
    "twin": Sentence(("Slot {0} has the same unit.",), TECHNICIAN),
    "wrong_sku": Sentence(("This is a {0}.", "This batch wants {1}."), RED),
    "wrong_product": Sentence(("Already in product {0}.",), TECHNICIAN),
    "already_elsewhere": Sentence(("Already in product {0}.",), TECHNICIAN),
    "owner_other": Sentence(("Another account owns this unit.",), TECHNICIAN),
    "unknown_serial": Sentence(("Label cannot be read.",), TECHNICIAN),
    "label_not_scanned": Sentence(("Its own label was not scanned.",), AGAIN),
    "strange_identity": Sentence(("A number of the unit is odd.",), TECHNICIAN),
    "identity_missing": Sentence(("Unit has no {0}.",), TECHNICIAN),
    "quarantined": Sentence(("Cloud holds this unit back.",), SUPERVISOR),
    "bad_device_id": Sentence(("The cloud does not know this unit.",), TECHNICIAN),
    # a bad unit
    "unit_rejected": Sentence(("Unit rejected.",), RED),
    "unit_refused": Sentence(("Unit refused.",), RED),
    "protected": Sentence(("Unit is locked.",), TECHNICIAN),
    "wifi_join_failed": Sentence(("Unit cannot join Wi-Fi.",), RED),
    "listening_after_setup": Sentence(("Light still blinks dark blue.",), TECHNICIAN),
    "write_failed": Sentence(("Write failed.",), RED),
    "update_not_applied": Sentence(("Update was not applied.",), RED),
    "verify_failed": Sentence(("Read-back failed.",), RED),
    "sim_failed": Sentence(("SIM does not work.",), TECHNICIAN),
    "sim_odd": Sentence(("SIM {0}", "is not known."), TECHNICIAN),
    "sim_off": Sentence(("SIM is off in the cloud.",), SUPERVISOR),
    "sim_missing": Sentence(("No SIM found.",), TECHNICIAN),
    "not_online": Sentence(("Unit does not come online.", "Antenna, coverage?"), TECHNICIAN),
    "not_claimed": Sentence(("Unit has no owner.",), TECHNICIAN),
    "name_taken": Sentence(("Name {0} is taken.",), TECHNICIAN),
    "final_check_failed": Sentence(("Final check failed.",), TECHNICIAN),
    # firmware
    "firmware_refused": Sentence(("Firmware does not fit this unit.",), SUPERVISOR),
    "dependency_missing": Sentence(("Unit needs {0} first.",), SUPERVISOR),
    "downgrade_refused": Sentence(("Unit is newer than the batch.",), SUPERVISOR),
    # stopped
    "unplugged_too_early": Sentence(("Unplugged too early.",), AGAIN),
    "stopped_by_operator": Sentence(("Stopped by hand.",), AGAIN),
    "swapped": Sentence(("Another unit took its place.",), "Plug the first one in again."),
    "part_walked": Sentence(("Only this step ran.",), "Retry for a verdict."),
    "station_closing": Sentence(("Station was closed.",), AGAIN),
    # the station, not the unit
    "silent": Sentence(("No answer.",), "Other cable, other port?"),
    "bad_contact": Sentence(("USB contact is bad.",), "Other cable, other port?"),
    "protection_unknown": Sentence(("Unit may be locked.",), TECHNICIAN),
    "unit_busy": Sentence(("Unit is too busy to answer.",), AGAIN),
    "unit_stuck": Sentence(("Unit is stuck.",), AGAIN),
    "console_garbled": Sentence(("Serial line is garbled.",), "Other cable, other port?"),
    "port_in_use": Sentence(("Unit is in use elsewhere.",), SUPERVISOR),
    "no_device_nodes": Sentence(("This computer hides USB units.",), SUPERVISOR),
    "did_not_return": Sentence(("Unit did not come back.",), AGAIN),
    "no_permission": Sentence(("No USB permission.",), TECHNICIAN),
    "bench_wifi_down": Sentence(("Wi-Fi of the bench may be down.",), SUPERVISOR),
    "cloud_failed": Sentence(("Cloud does not answer.",), SUPERVISOR),
    "cloud_hold": Sentence(("Cloud does not answer.",), "Wait. It goes on by itself."),
    "cloud_refused": Sentence(("Cloud refused this unit.",), TECHNICIAN),
    "cloud_limit": Sentence(("Cloud is busy.",), "Wait. It goes on by itself."),
    "scanner_busy": Sentence(("Another slot has the scanner.",), "Wait. It goes on by itself."),
    "before_it": Sentence(("{0} before it.",)),
    "cloud_blocked": Sentence(("Network blocks the cloud.",), SUPERVISOR),
    "cloud_mend": Sentence(("Cloud refuses this station.",), SUPERVISOR),
    "token_rejected": Sentence(("Cloud token rejected.",), SUPERVISOR),
    "journal_locked": Sentence(("Record is locked.",), "Close what else uses it."),
    "disk_full": Sentence(("Disk is full.",), SUPERVISOR),
    "disk_fails": Sentence(("Disk does not write.",), SUPERVISOR),
    "record_again": Sentence(("Record is written again.",)),
    "journal_failed": Sentence(("Record cannot be written.",), SUPERVISOR),
    "check_station": Sentence(("Unit is not judged.",), TECHNICIAN),
    # hands
    "scan_label": Sentence(("Unit {0}.",), "Scan its label."),
    "label_of_slot": Sentence(("That is the label of slot {0}.",), "Scan again."),
    "label_of_passed": Sentence(("That is the label of a unit", "that passed {t 0}."), "Scan again."),
    "label_of_failed": Sentence(("That is the label of a unit", "that failed {t 0}."), "Scan again."),
    "label_of_other": Sentence(("That is the label of another unit.",), "Scan again."),
    "label_differs": Sentence(("Label says {0}.", "Unit does not."), "Scan again."),
    "label_half_differs": Sentence(("Second half of the label differs.",), "Scan again."),
    "keyboard_layout": Sentence(("Scanner keyboard is {0}.", "It has to be English."), SUPERVISOR),
    "not_the_label": Sentence(("That is {a 0}.",), "Scan the unit's label."),
    "no_label": Sentence(("{0} is no label.",), "Scan the unit's label."),
    "dfu_by_hand": Sentence((), "Hold MODE. Tap RESET. Let go at YELLOW."),
    "listening_by_hand": Sentence((), "Hold MODE. Let go at DARK BLUE."),
    # slots between attempts
    "arrived": Sentence(("New unit",)),
    "starting": Sentence(("Starting",)),
    "do_not_unplug": Sentence((), "Do not unplug."),
    "would_stay_dark": Sentence((), "Do not unplug: it would stay dark."),
    "hands_default": Sentence((), TECHNICIAN),
    # lines of the station
    "unknown_port": Sentence(("Unit on an unknown port.",), "Press the number of its slot."),
    "no_free_slot": Sentence(("Unit on an unknown port.",), "Plug it into a slot."),
    "slot_taken": Sentence(("Slot {0} has a port already.",), "Press another number."),
    "scan_refused": Sentence(("Scan {0}: {1}.",), "Scan again."),
    "unit_history": Sentence(("Unit {0}:", "{v 1}, {t 2}.")),
    "unit_begun": Sentence(("Unit {0}", "was here, not finished.")),
    "scan_broken": Sentence(("Scan broke off.",), "Scan again."),
    "choose_slot": Sentence((), "First press a slot number."),
    "nothing_runs": Sentence(("Nothing runs in slot {0}.",)),
    "nothing_there": Sentence(("No unit in slot {0}.",), "Plug in a unit."),
    "cloud_back": Sentence(("Cloud answers again.",)),
    "cloud_gone": Sentence(("Cloud does not answer.",)),
    "batch_open": Sentence(("Batch {0} open.",)),
    "batch_not_open": Sentence(("Batch {0} is not open.",), SUPERVISOR),
    "batch_shut": Sentence(("Batch {0} closed.",)),
    "batch_ended": Sentence(("Batch {0} was closed for good.",), "Type another name."),
    "profile_unknown": Sentence(("Profile {0} is not known.",), "Type another one."),
    "operator_in": Sentence(("Operator {0}.",)),
    "operator_out": Sentence(("No operator.",), "Scan your badge."),
    "pull_unit": Sentence(("Cloud refused unit {0}.",), "Pull it from the tray."),
    "owed_stuck": Sentence(("Unit {0}", "is still not finished."), SUPERVISOR),
    "late_unknown": Sentence(("Unit {0} is not judged.",), TECHNICIAN),
    "late_pass": Sentence(("Unit {0} is finished now.",)),
    "station_fault": Sentence(("The station has a fault.",), SUPERVISOR),
    "seen_before": Sentence(("Seen before: {0}, {1}, {2}.",)),
    # questions
    "leave_writing": Sentence(("A unit is being written.",), "Leave anyway?"),
    "stop_writing": Sentence(("Slot {0} is being written.",), "Stop it anyway?"),
    "leave_running": Sentence(("Units are not finished.",), "Leave anyway?"),
    "close_batch": Sentence(("Nothing goes to batch {0} again.",), "Close it for good?"),
    "type_label": Sentence((), "Type the label. Then Enter."),
    "find_unit": Sentence((), "Type any number of the unit."),
    "find_nothing": Sentence(("Not seen on this bench today.",)),
    "batch_wrong": Sentence(("Batch and profile are needed.",), "Type both."),
    "batch_name": Sentence(("Batch name is not valid.",), "Letters, digits, dashes only."),
    "target_wrong": Sentence(("Number of units is not valid.",), "Type a whole number."),
    "no_batch": Sentence(("No batch is open.",), SUPERVISOR),
}

STEP_TITLES: dict[str, str] = {
    "identify": "Identify",
    "dfu": "Prepare",
    "device_os": "Device OS",
    "firmware": "Firmware",
    "product_add": "Add to product",
    "name": "Name",
    "group": "Group",
    "lock": "Lock version",
    "wifi": "Wi-Fi",
    "setup_done": "Setup flag",
    "sim": "SIM",
    "online": "Online",
    "claim": "Claim",
    "final_check": "Final check",
    "label": "Label",
}

OUTCOME_WORDS: dict[Outcome, str] = {
    Outcome.ALREADY: "already",
    Outcome.DONE: "done",
    Outcome.SKIPPED: "skipped",
    Outcome.DEFERRED: "deferred",
    Outcome.FAILED: "failed",
    Outcome.ABORTED: "stopped",
    Outcome.ERROR: "error",
}


@dataclass(frozen=True, slots=True)
class Led:
    """The unit's status light: words, what it means, the colour of its dot, and whether that goes on and off."""

    words: str
    means: str
    colour: str
    blinks: bool = True


LEDS: dict[str, Led] = {
    "blinking dark blue": Led("blinking dark blue", "listening for setup", "#4F7BFF"),
    "fast blinking blue": Led("blinking blue, fast", "clearing its networks", "#4F7BFF"),
    "breathing blue": Led("breathing blue", "radio on, not connected", "#4F7BFF"),
    "blinking yellow": Led("blinking yellow", "in DFU, ready to be written", "#FFD800"),
    "blinking magenta": Led("blinking magenta", "updating: do not unplug", "#FF4FE0"),
    "breathing magenta": Led("breathing magenta", "safe mode: no application", "#FF4FE0"),
    "blinking green": Led("blinking green", "searching for a network", "#3FE05A"),
    "breathing green": Led("breathing green", "network, but no cloud", "#3FE05A"),
    "blinking cyan": Led("blinking cyan", "connecting to the cloud", "#30E0F0"),
    "breathing cyan": Led("breathing cyan", "online", "#30E0F0"),
    "breathing white": Led("breathing white", "radio off", "#FFFFFF"),
    "blinking red": Led("blinking red", "has a fault", "#FF6A5A"),
    "rainbow": Led("rainbow", "the unit you asked for", "#FFFFFF"),
    "off": Led("dark", "no power, or dead", "#5C6670", blinks=False),
}
"""Reference provisioning-rules 3.4."""


def led(name: str) -> Led | None:
    """The light of that name; a name we do not know is shown as it is, without a colour of its own."""
    if not name:
        return None
    return LEDS.get(name.lower()) or Led(clean(name, _MAX_VALUE), "", "#FFFFFF", blinks=False)


def say(key: str, values: Sequence[str] = (), tz: datetime.tzinfo | None = None) -> Sentence | None:
    """The entry with its values filled in (cleaned and cut; a missing one reads ``?``), or None if unknown.

    ``tz`` is the zone of times among them; None: the machine's.
    """
    entry = SENTENCES.get(key)
    if entry is None:
        return None
    return Sentence(tuple(_fill(line, values, tz) for line in entry.says), _fill(entry.do, values, tz))


def line(key: str, values: Sequence[str] = ()) -> str:
    """The entry as one line of text."""
    entry = say(key, values)
    return " ".join(entry.lines) if entry else clean(key)


def step_title(step: str, title: str = "") -> str:
    """What an operator calls a step; one the catalogue does not know has the engine's title, or its own name."""
    return STEP_TITLES.get(step) or clean(title, 40) or clean(step.replace("_", " ").capitalize(), 40)


def seen_before(seen: SeenBefore, tz: datetime.tzinfo | None = None, *, with_zone: bool = False) -> str:
    """``tz`` None: the machine's own time zone; it is named where there is room for it."""
    day = _day(seen.at, tz) + (f" {zone(seen.at, tz)}" if with_zone else "")
    return line("seen_before", (VERDICT_WORD[seen.verdict], day, seen.station_id))


def _day(at: datetime.datetime, tz: datetime.tzinfo | None) -> str:
    return at.astimezone(tz).strftime("%a %H:%M")


def ended(verdict: Verdict, took_s: float) -> str:
    """For the log: ``PASS in 21.4 s``."""
    return f"{VERDICT_WORD[verdict]} in {seconds(took_s)}"


_PLACE = re.compile(r"\{([atv] )?(\d)\}")


def _fill(template: str, values: Sequence[str], tz: datetime.tzinfo | None) -> str:
    """Only the catalogue's own text is a template; a value is never read for placeholders."""

    def one(match: re.Match[str]) -> str:
        index = int(match[2])
        value = values[index] if index < len(values) else ""
        if match[1] == "t ":
            value = _local(value, tz)
        elif match[1] == "v ":
            value = VERDICT_WORD[Verdict[value]] if value in Verdict.__members__ else value
        value = clean(value, _MAX_VALUE) or "?"
        return _with_article(value) if match[1] == "a " else value

    return _PLACE.sub(one, template)


def _local(value: str, tz: datetime.tzinfo | None) -> str:
    """A time as the events have it (ISO 8601), as day and time on the clock of the bench; anything else as it is."""
    try:
        return _day(datetime.datetime.fromisoformat(value), tz)
    except (ValueError, OverflowError):
        return value


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeio' else 'a'} {noun}"
