"""Takes out of a text what may say who wrote it, before the text goes to somebody else's search engine.

It would rather lose a word too many: a query does without a number, a person does not get it back. Names are
found only behind words that announce one; what else the guards know is the caller's to take out (`detect`).
"""

import re
from collections.abc import Callable

from openflywheel.base.nouns import Verdict

Detect = Callable[[str], tuple[str, tuple[Verdict, ...]]]

NAME = r"[^\W\d_][\w'\u2019-]*"
PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"https?://\S+|www\.\S+",
        r"\S*@\S+",  # e-mail addresses and handles
        r"<\w{2,20}>",  # what a guard has put in the place of something
        r"\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,4})?\b(?<=\d)",  # IBAN
        r"[+(]?\d(?:[ ()./:-]{0,2}\d){4,}",  # cards, phones, dates of birth, IP addresses, long numbers
        r"(?<![\w-])(?=[\w-]{0,30}\d(?:-?\d){3})(?=[\w-]{0,30}[a-z])[\w-]+",  # codes such as AB-1234
        r"\b(?:order|account|customer|client|ticket|invoice|case|booking|tracking|member(?:ship)?|policy|ref(?:erence)?"
        r"|id|kunden|bestell|rechnungs|vorgangs)\W{0,2}(?:number|no|nr|nummer|id)?\W{0,4}(?:is\ )?"
        r"(?=[\w-]{0,30}\d)[\w-]+",
        rf"\b(?:my\ name\ is|my\ name's|i\ am\ called|ich\ hei(?:\u00df|ss)e|mein\ name\ ist)\ +{NAME}"
        rf"(?-i:(?:\ +[^\W\d_a-z]{NAME}){{0,3}})",
        rf"\b(?:mr|mrs|ms|miss|dr|herr|frau)\b\.?\ +{NAME}(?-i:(?:\ +[^\W\d_a-z]{NAME}){{0,2}})",
        rf"\b(?:regards|sincerely|cheers|gr(?:\u00fc|ue)(?:\u00df|ss)en?)\b[\s,]+{NAME}(?:\ +{NAME})?\s*$",
        r"\b\d{1,5}[a-z]?\ +(?:\w+\ +){1,2}(?:street|st|road|rd|avenue|ave|lane|drive|square)\b",
        r"\b\w+(?:stra(?:\u00df|ss)e|str\.|weg|platz|allee)\ +\d+\w?",
    )
)


def impersonal(text: str, detect: Detect | None = None) -> str:
    """The text without what may be personal, in single spaces; "" when `detect` (the guards') forbids it."""
    if detect:
        text, verdicts = detect(text)
        if any(verdict.passed == "no" for verdict in verdicts):
            return ""
    for pattern in PATTERNS:
        text = pattern.sub(" ", text)
    return " ".join(text.split())
