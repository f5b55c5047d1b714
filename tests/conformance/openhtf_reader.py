"""Reads test records with OpenHTF itself, by the Python of an environment that has it; run by `test_openhtf`.

Makes OpenHTF's own objects of every line, lets its validators judge every value again, writes them with its own
writer and with its converter for manufacturing events, and prints what came of it: one JSON object a line.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from openhtf import PhaseResult  # type: ignore[import-not-found]
from openhtf.core import measurements, phase_executor, test_record  # type: ignore[import-not-found]
from openhtf.output.callbacks import json_factory  # type: ignore[import-not-found]
from openhtf.output.proto import mfg_event_converter  # type: ignore[import-not-found]
from openhtf.util import units, validators  # type: ignore[import-not-found]


def validator(text: str) -> Any:
    """Make the validator that OpenHTF writes as ``text``."""
    if found := re.fullmatch("'x' matches /(.*)/", text):
        return validators.matches_regex(found[1])
    if found := re.fullmatch("'x' is equal to '(.*)'", text):
        return validators.Equals(found[1])
    if found := re.fullmatch("x == (.*)", text):
        return validators.InRange(json.loads(found[1]), json.loads(found[1]))
    low, high = re.fullmatch("(?:(.*) <= )?x(?: <= (.*))?", text).groups()  # type: ignore[union-attr]
    return validators.InRange(low and json.loads(low), high and json.loads(high))


def measured(told: dict[str, Any]) -> Any:
    """Make a measurement and let OpenHTF judge it."""
    unit = told.get("units")
    known = unit and units.UNITS_BY_SUFFIX.get(unit["suffix"])
    one = measurements.Measurement(
        told["name"],
        units=unit and (known or units.UnitDescriptor(**unit)),
        validators=[validator(text) for text in told.get("validators", ())],
    )
    one.measured_value.set(told["measured_value"])
    one.validate()
    return one


def phase(told: dict[str, Any]) -> Any:
    """Make a phase."""
    return test_record.PhaseRecord(
        **told
        | {
            "codeinfo": test_record.CodeInfo(**told["codeinfo"]),
            "measurements": {name: measured(one) for name, one in told["measurements"].items()},
            "result": phase_executor.PhaseExecutionOutcome(PhaseResult[told["result"]["phase_result"]]),
            "outcome": test_record.PhaseOutcome[told["outcome"]],
        }
    )


def record(told: dict[str, Any]) -> Any:
    """Make a test record."""
    made = test_record.TestRecord(
        **told
        | {
            "code_info": test_record.CodeInfo(**told["code_info"]),
            "outcome": told["outcome"] and test_record.Outcome[told["outcome"]],
            "outcome_details": [test_record.OutcomeDetails(**one) for one in told["outcome_details"]],
            "phases": [],
        }
    )
    for one in told["phases"]:
        made.add_phase_record(phase(one))
    return made


def main() -> None:
    """Read the file named on the command line."""
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        written = "".join(json_factory.stream_json(json_factory.convert_test_record_to_json(record(told))))
        found = {"is_same": json.loads(written) == told, "written": json.loads(written)}
        if told["outcome"] is not None:
            event = mfg_event_converter.mfg_event_from_test_record(record(told))
            found["event"] = {
                "serial": event.dut_serial,
                "status": event.test_status,
                "phases": [one.name for one in event.phases],
                "measurements": len(event.measurement),
                "failures": [one.code for one in event.failure_codes],
            }
        sys.stdout.write(json.dumps(found) + "\n")


main()
