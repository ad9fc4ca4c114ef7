"""Telephone numbers: some by their layout alone, any seven digits after a word that calls."""

import re

from openflywheel.guard._spans import Detector

# "#4821-77", "A-4821-77" and "12.4821" are no phones; an extension (x123, ext. 123) belongs to its number.
BEFORE, AFTER = r"(?<![#$€£+./-])(?:(?<!\w)|(?=[+(]))", r"(?:\ ?(?:x|ext\.?)\ ?\d{1,6})?(?!\w)"
SEVEN = "\\d(?:[ ./()\u00a0-]{0,3}\\d){6}"  # what every number needs (see Detector)
GAP = r"[ ./()\u00a0-]"

# ITU-T E.164 (at most 15 digits), the North American plan (area and exchange start with 2 to 9), and
# national forms that begin with the trunk 0 or with an area in brackets.
LAYOUTS = rf"""{BEFORE}(?:
    (?:\+\ ?\(?|00{GAP}?)[1-9](?:{GAP}{{0,2}}\d){{6,14}}                    # +49 (0)30 123 456
  | (?:1[ .-])?(?:\([2-9]\d\d\)\ ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{{4}}     # (212) 555-0143
  | (?!\d+\.\d++(?!\.))(?:0[1-9]\d{{0,3}}{GAP}|\(0\d{{1,4}}\))             # not 05.679644
    (?:{GAP}{{0,2}}\d){{6,9}}                                              # 07700 063 966
  | \(\d{{2,4}}\)\ ?\d{{3,4}}[ -]\d{{3,4}}                                  # (37) 788-063
){AFTER}"""
DIGITS = rf"{BEFORE}(?:\(\d{{1,5}}\){GAP}{{0,2}})?\d(?:{GAP}{{0,2}}\d){{6,14}}{AFTER}"

# Between word and number nothing may stand that redaction replaces (digits, @, placeholders): else the
# replacement would bring them closer and a second pass would find more.
CALLS = re.compile(
    r"""(?<![\w.@-])(?:(?:tele|cell|mobile)?\ ?phones?|tel|telefon\w{0,8}|t[ée]l[ée]phone|tel[ée]fono
      | rufnummer|mobile|cell|handy|fax|call(?:ed|ing|s)?|dial|ring|sms|text(?:ed|s)?|messages?\ to|whatsapp
      | reach(?:ed)?|anrufen|(?:my|his|her|their|our|this|new|registered|contact)\ number
    )\b[^\d<>@]{0,30}$""",
    re.VERBOSE | re.IGNORECASE,
)
NAMES_A_THING = re.compile(
    r"""(?<![\w.@-])(?:orders?|invoice|ticket|case|ref(?:erence)?|tracking|account|serial|sku|item|id|amount
      | bestell\w{0,12}|rechnung\w{0,12}|kunden\w{0,12}|vorgang\w{0,12}
    )(?:\ (?:number|no|nr|id|code|is)){0,3}[ .:#]{0,3}$""",
    re.VERBOSE | re.IGNORECASE,
)
DATE = re.compile(r"(?:19|20)\d\d[./-]\d\d?[./-]\d\d?|\d\d?[./-]\d\d?[./-](?:19|20)\d\d")
# The longest that CALLS can look back: a word, 30 characters and a margin.
WINDOW = 50


def _is_said(match: re.Match[str], what: re.Pattern[str]) -> bool:
    return bool(what.search(match.string, max(0, match.start() - WINDOW), match.start()))


def _may_be_called(match: re.Match[str]) -> bool:
    return match[0][0] == "+" or not (DATE.search(match[0]) or _is_said(match, NAMES_A_THING))


def _is_called(match: re.Match[str]) -> bool:
    return _is_said(match, CALLS) and _may_be_called(match)


DETECTORS = (
    Detector("phone", re.compile(LAYOUTS, re.VERBOSE), _may_be_called, SEVEN),
    Detector("phone", re.compile(DIGITS, re.VERBOSE), _is_called, SEVEN),
)
