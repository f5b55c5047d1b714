"""``label``: the unit's own label comes out of the printer, once all else matched, and is scanned back. Rules M1 N6.

A printer in trouble is waited for, by its name: it says nothing about the unit.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator, ValidationInfo

from ..engine.records import UnitFacts
from ..engine.step import StepContext, StepResult, already, done
from ..errors import BadInput, StepFault
from ..labels import Template, parse_template
from ..labels.printer import LabelPrinter, PrinterTrouble
from ..labels.template import FIELDS, MOST_BYTES, SECRET, values_of
from ..model import IdentityFact, Verdict
from ..settings.beside import read_beside
from ..settings.document import Document
from ..settings.outside import PRINTER_NAME
from ..settings.profile_sections import Context, ProfileSection
from ..settings.sections import Mistake, refusal, shown
from ..words.say import Say
from .shared.label import read_back
from .shared.session import StationSession
from .shared.sources import absent
from .spec import StationStep, in_both

SHIFT_S = 8 * 3600.0
"""How long a printer in trouble is waited for."""
FACT = "label"
"""What the journal calls the label a unit got: which one, not what stands on it."""
_AFTER_A_FAIL = frozenset({"reason"})
"""Fields that only a FAIL label has values for."""


def _read(value: object, info: ValidationInfo) -> Template:
    if not isinstance(value, str) or not 1 <= len(value) <= 200:
        raise refusal(Mistake(found=shown(value)))
    assert isinstance(info.context, Document)
    try:
        return parse_template(read_beside(info.context.name, value, MOST_BYTES + 1), value)
    except OSError as error:
        found = f"{error.filename or value} cannot be read ({error.strerror or type(error).__name__})"
        raise refusal(Mistake((), "a label template beside this profile", "put it there", found)) from error
    except BadInput as error:
        raise refusal(Mistake((), "a template the printer can be sent", error.sentences[0], value)) from error


_TemplateField = Annotated[Template, PlainValidator(_read, json_schema_input_type=str)]
_FILE, _EXAMPLES = "the name of a ZPL file beside this profile", ["box-label.zpl"]


class Print(ProfileSection):
    """The label of a unit that matched, and of one that failed."""

    beside: ClassVar[Mapping[str, str]] = {"template": "sha256", "fail_label": "fail_sha256"}

    printer: str = Field(
        pattern=PRINTER_NAME, title="the name of a printer of the station", examples=["bench"],
        description="The printer, by its name in [printers.NAME] of the station's config file.",
    )  # fmt: skip
    template: _TemplateField = Field(
        title=_FILE, examples=_EXAMPLES, description="ZPL with fields in braces: ^FD{device_id}^FS."
    )
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", title="64 hexadecimal digits",
        description="Its SHA-256, which station profile hash writes.",
        examples=["64 hexadecimal digits, as sha256sum prints them"],
    )  # fmt: skip
    verify: bool = Field(default=True, description="true: the new label is scanned before the unit is released.")
    timeout_s: float = Field(default=120.0, ge=5, le=3600, description="How long to wait for that scan, in seconds.")
    fail_label: _TemplateField | None = Field(
        default=None, title=_FILE, examples=_EXAMPLES,
        description="The label of a unit that failed; it may also say {reason}.",
    )  # fmt: skip
    fail_sha256: str = Field(
        default="", pattern="^([0-9a-f]{64})?$", title="64 hexadecimal digits", description="The same of that file.",
        examples=["64 hexadecimal digits, as sha256sum prints them"],
    )  # fmt: skip

    def of(self, verdict: Verdict) -> Template | None:
        """Return the template for a unit with that verdict, None where it gets no label."""
        return {Verdict.PASS: self.template, Verdict.FAIL: self.fail_label}.get(verdict)

    def check(self, context: Context) -> Iterator[Mistake]:
        for key, template, digest in (("", self.template, self.sha256), ("fail_", self.fail_label, self.fail_sha256)):
            if template is None:
                continue
            if template.sha256 != digest:
                expected, advice = f"the SHA-256 of {template}", f'look at the file, then write "{template.sha256}"'
                yield Mistake(f"{key}sha256", expected, advice, f"{digest[:12]}…" if digest else "nothing")
            for name in sorted(template.fields):
                why = next(filter(None, (absent(name, row, None) for row in context.platforms)), "")
                if why:
                    yield Mistake(f"{key}template" if not key else "fail_label", f"no {{{name}}}: {why}", "take it out")
        if "device_id" not in self.template.written or not self.template.coded & {"device_id", "serial"}:
            expected = "{device_id} as a text, and a code of {device_id} or {serial} (M1)"
            yield Mistake("template", expected, "add them to the template", str(self.template))
        if extra := self.template.fields & _AFTER_A_FAIL:
            yield Mistake("template", f"no {{{min(extra)}}}: a unit that passed has none", "take it out")
        if SECRET in self.template.fields and "label" not in context.written:
            expected = "no {secret} without [label]: the unit tells nobody, only a scan of its label does"
            yield Mistake("template", expected, "write [label] with expect = true and keep_secret = true")


def label(session: StationSession, ctx: StepContext) -> StepResult:
    """Print the label unless this unit has that very one; then see it scanned, where the profile asks."""
    wanted = session.profile.section(Print)
    assert wanted is not None
    printer = session.printers[wanted.printer]
    known = session.unit.known
    facts = {name: value for name in FIELDS if (value := known.current(name)) is not None}
    values = values_of(facts, session.profile.ref, session.batch, ctx.clock.utc(), _secret_of(session, wanted))
    digest, device_id = wanted.template.digest(values), str(known.device_id)
    is_new = "device_id" in wanted.template.coded
    read = functools.partial(read_back, session.unit, ctx, wanted.timeout_s, is_new=is_new)
    if session.unit.memory.known_facts(device_id).get(FACT) == digest:
        if not wanted.verify:
            return already("the same label was printed before")
        if read():
            return already("the label printed before was scanned back")
    sent = _printed(printer, wanted.template.render(values), ctx)
    if wanted.verify and not read():
        raise StepFault(
            f"the new label of {known.label} was not scanned within {wanted.timeout_s:.0f} s; "
            "scan it, then retry", say=Say("label_not_scanned"),
        )  # fmt: skip
    ctx.record(UnitFacts(facts=(IdentityFact(FACT, digest, printer.name),), **ctx.head()))
    twice = " twice: throw one of them away" if sent > 1 else ""
    return done(f"printed by {printer.name}{twice}{', scanned back' if wanted.verify else ', not scanned'}")


def _printed(printer: LabelPrinter, zpl: bytes, ctx: StepContext) -> int:
    """Print when it is this slot's turn; raises `StepFault` after a shift of trouble."""
    hold = functools.partial(printer.turn.hold, rank=ctx.slot)  # labels lie there in the order of the slots
    busy = Say("printer_busy", printer=printer.name)
    with ctx.in_turn(hold, busy), ctx.write("printer", f"label to {printer.name}"):
        try:
            return printer.print_label(zpl, ctx.cancel, ctx.held, SHIFT_S)
        except PrinterTrouble as trouble:
            raise StepFault(f"waited a whole shift: {trouble}", say=trouble.say) from trouble


def _secret_of(session: StationSession, wanted: Print) -> str:
    """Return the mobile secret, where the template asks for it: as scanned, or as kept."""
    if SECRET not in wanted.template.fields:
        return ""
    known = session.unit.known
    secret = known.secret or session.unit.memory.mobile_secret(str(known.device_id))
    return secret.reveal() if secret is not None else ""


SPEC = StationStep(
    name="label", title="Label", limit_s=600, after=in_both("final_check"), act=label, section=("print", Print),
    applies=lambda profile, _: profile.section(Print) is not None, only_when_all_matched=True,
)  # fmt: skip
