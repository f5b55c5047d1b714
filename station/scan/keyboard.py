"""What a scanner's text becomes when host and scanner disagree about the keyboard. Pure tables.

A scanner is a keyboard: it sends the keys of its own layout, and the host reads them by another. The tables list the
characters of the 47 printing keys row by row, first plain, then with Shift; dead keys are written as the accent they
carry. Sources: ISO/IEC 9995 key positions with DIN 2137 (QWERTZ) and NF Z71-300's legacy AZERTY.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_ENGLISH = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./" + '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?'
_QWERTZ = "^1234567890ß´qwertzuiopü+#asdfghjklöäyxcvbnm,.-" + "°!\"§$%&/()=?`QWERTZUIOPÜ*'ASDFGHJKLÖÄYXCVBNM;:_"
_AZERTY = "²&é\"'(-è_çà)=azertyuiop^$*qsdfghjklmùwxcvbn,;:!" + "~1234567890°+AZERTYUIOP¨£µQSDFGHJKLM%WXCVBN?./§"

LAYOUTS = {"QWERTZ": _QWERTZ, "AZERTY": _AZERTY}


def otherwise(text: str) -> Iterator[tuple[str, str]]:
    """Yield what ``text`` would be under each disagreement, with the name of it; never ``text`` itself.

    Host on a layout and scanner on English, or the other way round; or Caps Lock.
    """
    seen = {text}
    for name, table in _TABLES:
        meant = text.translate(table)
        if meant not in seen:
            seen.add(meant)
            yield name, meant


_TABLES: tuple[tuple[str, Mapping[int, int | str]], ...] = (
    *((name, str.maketrans(keys, _ENGLISH)) for name, keys in LAYOUTS.items()),
    *((name, str.maketrans(_ENGLISH, keys)) for name, keys in LAYOUTS.items()),
    ("Caps Lock", {ord(c): c.swapcase() for c in _ENGLISH if c.isalpha()}),
)
