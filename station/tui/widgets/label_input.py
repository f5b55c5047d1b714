"""The field for a label typed by hand: all after the first space may be a secret, so it shows as dots."""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual.widgets import Input


def masked(text: str, dot: str = "*") -> str:
    """``P044AB1234567 SECRET`` as ``P044AB1234567 ******``: as long as it was."""
    label, space, secret = text.partition(" ")
    return label + space + dot * len(secret)


class _Mask(Highlighter):
    def highlight(self, text: Text) -> None:
        text.plain = masked(text.plain)


class LabelInput(Input):
    """A plain field but for the mask; nothing of it can be copied out."""

    def __init__(self) -> None:
        super().__init__(highlighter=_Mask(), max_length=256, id="label")

    def action_copy(self) -> None:
        """The masked part would leave in clear."""

    def action_cut(self) -> None:
        """As above."""
