"""``label``: the unit's own label comes out of the printer, once all else matched, and is scanned back. Rules M1 N6.

A printer in trouble is waited for, by its name: it says nothing about the unit. No second label of a unit comes out
unless a person says so: a spare one could end up on another unit.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator, ValidationInfo

from drivers.errors import Cancelled

from ..engine.events import AttemptFinished
from ..engine.records import UnitFacts, WriteConfirmed, WriteIntended
from ..engine.step import StepContext, StepResult, already, done
from ..errors import BadInput, StepFault, UnitRejected
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
FACT, SENT, WRONG = "label", "sent ", "wrong"
"""What the journal calls the label a unit got: which one, not what stands on it. `SENT` before it: it was handed to a
printer, and nobody saw yet whether it came out. `WRONG`: it came out with another code."""
TARGET = "printer"
"""What a label is announced to in the journal."""
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

    def announced(self, finished: AttemptFinished) -> tuple[WriteIntended, ...]:
        """Return the announcement of the label of a unit that failed, nothing where it gets none."""
        if finished.verdict is not Verdict.FAIL or self.fail_label is None:
            return ()
        return (intended(finished, f"FAIL label to {self.printer}"),)

    def check(self, context: Context) -> Iterator[Mistake]:
        """Yield templates that changed, lack what is scanned back (M1), or name what these platforms do not have."""
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


def intended(of: AttemptFinished, what: str) -> WriteIntended:
    """Return the announcement of a label that no walk waits for."""
    return WriteIntended(
        at=of.at, slot=of.slot, device_id=of.device_id, attempt=of.attempt, step=FACT, target=TARGET, what=what
    )


def label(session: StationSession, ctx: StepContext) -> StepResult:
    """Print the label unless this unit has that very one; see it scanned, where the profile asks or it is in doubt."""
    wanted = session.profile.section(Print)
    assert wanted is not None
    printer = session.printers[wanted.printer]
    known = session.unit.known
    facts = {name: value for name in FIELDS if (value := known.current(name)) is not None}
    values = values_of(facts, session.profile.ref, session.batch, ctx.clock.utc(), _secret_of(session, wanted))
    digest, device_id = wanted.template.digest(values), str(known.device_id)
    had = session.unit.memory.known_facts(device_id).get(FACT)
    if had == digest and not wanted.verify:
        return already("the same label was printed before")
    ask = functools.partial(_asked, session, wanted, printer, ctx)
    if had in (digest, SENT + digest) and ask(is_in_doubt=had != digest):
        ctx.record(_fact(digest, printer, ctx))
        return already("the label printed before was scanned back")
    zpl, times, is_there = wanted.template.render(values), 0, False
    while not is_there:
        is_out = _printed(printer, zpl, digest, ctx)
        times += 1
        is_scanned = wanted.verify or not is_out
        is_there = not is_scanned or ask(is_in_doubt=not is_out)
    if not is_out:
        ctx.record(_confirmed(printer, ctx))
    ctx.record(_fact(digest, printer, ctx))
    more = f" {times} times: throw the others away" if times > 1 else ""
    return done(f"printed by {printer.name}{more}{', scanned back' if is_scanned else ', not scanned'}")


def _confirmed(printer: LabelPrinter, ctx: StepContext) -> WriteConfirmed:
    return WriteConfirmed(step=ctx.step, target=TARGET, what=f"label to {printer.name}", **ctx.head())


def _fact(value: str, printer: LabelPrinter, ctx: StepContext) -> UnitFacts:
    return UnitFacts(facts=(IdentityFact(FACT, value, printer.name),), **ctx.head())


def _asked(
    session: StationSession, wanted: Print, printer: LabelPrinter, ctx: StepContext, *, is_in_doubt: bool
) -> bool:  # fmt: skip
    """Ask for a scan of the unit's label; False: a person says that there is none, and wants one printed.

    Raises `StepFault` when neither comes in time.
    """
    known, question = session.unit.known, ctx.cancel.child()
    say = Say("label_in_doubt" if is_in_doubt else "scan_printed", unit=known.label)
    is_new = "device_id" in wanted.template.coded
    try:
        with printer.offers_another(ctx.slot, question):
            if read_back(session.unit, ctx, say, wanted.timeout_s, question, is_new=is_new):
                return True
    except Cancelled:
        ctx.cancel.check()
        return False
    except UnitRejected:
        ctx.record(_fact(WRONG, printer, ctx))
        raise
    raise StepFault(
        f"the new label of {known.label} was not scanned within {wanted.timeout_s:.0f} s; retry and scan it, or let it "
        "be printed again", say=Say("label_not_scanned"),
    )  # fmt: skip


def _printed(printer: LabelPrinter, zpl: bytes, digest: str, ctx: StepContext) -> bool:
    """Print in this slot's turn; False: nobody knows whether it came out. `StepFault` after a shift of trouble."""
    hold = functools.partial(printer.turn.hold, rank=ctx.slot)  # labels lie there in the order of the slots

    def begins() -> None:
        ctx.record(WriteIntended(step=ctx.step, target=TARGET, what=f"label to {printer.name}", **ctx.head()))
        ctx.record(_fact(SENT + digest, printer, ctx))

    with ctx.in_turn(hold, Say("printer_busy", printer=printer.name)):
        try:
            is_out = printer.print_label(zpl, ctx.cancel, ctx.held, SHIFT_S, begins)
        except PrinterTrouble as trouble:
            raise StepFault(f"waited a whole shift: {trouble}", say=trouble.say) from trouble
    if is_out:
        ctx.record(_confirmed(printer, ctx))
    return is_out


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
