"""Structured personal data, found by pattern and checksum. Names and addresses need a tagger."""

import re
from collections.abc import Callable
from typing import Literal

from openflywheel.base.nouns import Verdict
from openflywheel.guard import _checksums, _phones
from openflywheel.guard._spans import Detector, find, hints, judged, renamed, replaced

# RFC 5321: at most 64 characters before the @, a bound that also keeps the time linear. The domain takes its
# last word to the end: what follows an e-mail is never half a word.
EMAIL = r"(?<!\w)(?:\w{1,20}')?\w[\w.+%&~-]{0,63}+@(?:[\w-]{1,63}\.)+[^\W\d_]\w+"

DETECTORS = (Detector("email", re.compile(EMAIL), needs="@"), *_checksums.DETECTORS, *_phones.DETECTORS)
KINDS = ("email", "phone", "card", "iban", "ssn", "ip")
HINTS = hints(DETECTORS)


def pii(
    text: str, *, mode: Literal["redact", "refuse"] = "redact", kinds: tuple[str, ...] = KINDS
) -> tuple[str, Verdict]:
    """Replace structured personal data with typed placeholders such as <email>; `refuse` also says no.

    The text comes back redacted in both modes: a refusal that is overlooked leaks nothing.
    Cards are proved by Luhn (ISO/IEC 7812-1), IBANs by mod 97 and their country's length (ISO 13616-1),
    phones by the layout of E.164 and of national plans, or by a word such as "call" before them.
    Raises SettingsError for an unknown mode or kind.
    """
    spans = find(text, DETECTORS, kinds)
    return replaced(text, spans, "<{}>"), judged("pii", spans, mode)


def pseudonyms(
    text: str,
    *,
    name: Callable[[str, str], str],
    mode: Literal["redact", "refuse"] = "redact",
    kinds: tuple[str, ...] = KINDS,
) -> tuple[str, Verdict]:
    """The same, with `name(kind, value)` in the place of each value."""
    spans = find(text, DETECTORS, kinds)
    return renamed(text, spans, name), judged("pii", spans, mode)
