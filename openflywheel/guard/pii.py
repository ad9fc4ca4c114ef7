"""Structured personal data, found by pattern and checksum. Names and postal addresses need a trained tagger."""

import re
from typing import Literal

from openflywheel.base.nouns import Verdict
from openflywheel.guard import _checksums, _phones
from openflywheel.guard._spans import Detector, judged

# Leading marks are skipped inside the match, so that each run of characters is entered once: linear time.
# The domain takes its last word to the end: what follows an e-mail is never half a word.
EMAIL = r"(?<![\w.+%&~-])[.+%&~-]*+(?P<value>\w[\w.+%&~-]*+@(?:[\w-]{1,63}\.)+[^\W\d_]\w+)"

DETECTORS = (Detector("email", re.compile(EMAIL)), *_checksums.DETECTORS, *_phones.DETECTORS)
KINDS = ("email", "phone", "card", "iban", "ssn", "ip")


def pii(
    text: str, *, mode: Literal["redact", "refuse"] = "redact", kinds: tuple[str, ...] = KINDS
) -> tuple[str, Verdict]:
    """Replace structured personal data with typed placeholders such as <email>; `refuse` also says no.

    Cards are proved by Luhn (ISO/IEC 7812-1), IBANs by mod 97 and their country's length (ISO 13616-1),
    phones by the layout of E.164 and of national plans, or by a word such as "call" before them.
    Raises SettingsError for an unknown mode or kind.
    """
    return judged(
        "pii", text, detectors=DETECTORS, mode=mode, kinds=kinds, placeholder=lambda kind: f"<{kind}>"
    )
