"""An input for a label typed by hand: everything after the first space may be a secret and is shown as dots."""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual.widgets import Input


def masked(text: str, dot: str = "*") -> str:
    """Return ``P044AB1234567 SECRET`` as ``P044AB1234567 ******``, length unchanged."""
    label, space, secret = text.partition(" ")
    return label + space + dot * len(secret)


class _Mask(Highlighter):
    def highlight(self, text: Text) -> None:
        text.plain = masked(text.plain)


class LabelInput(Input):
    """Masks what may be a secret; copying is disabled: it would expose the secret."""

    def __init__(self) -> None:
        super().__init__(highlighter=_Mask(), max_length=256, id="label")

    def action_copy(self) -> None:
        """Do nothing: copying would expose the secret."""

    def action_cut(self) -> None:
        """Do nothing: cutting would expose the secret."""
