"""Numbers that prove themselves: payment cards, IBANs, social security numbers, IP addresses."""

import re
from ipaddress import ip_address

from openflywheel.guard._spans import Detector

# What each of them needs (see Detector). The digits of a card, a number of any kind, and the rest of an IBAN.
TWELVE, NINE, THREE_TWO_FOUR = r"\d(?:[ -]?\d){11}", r"\d{9}", r"\d{3}[ -]\d\d[ -]\d{4}"
ACCOUNT = r"(?i:\d\d(?:[ -]?[A-Z\d]){11})"
DOTTED, COLONS = r"\d\.\d{1,3}\.\d{1,3}\.\d", r"(?i::[\da-f]{0,4}:[\da-f])"

CARD = r"""(?<![\w-])(?:
    \d{12,19}
  | \d{4}([ -])\d{4}\1\d{4}\1\d{4}                                          # 16 digits
  | \d{4}([ -])\d{6}\2\d{4,5}                                               # 14 and 15 digits
)(?!\w)"""
# Apart, because a card and its three digits from the back look the same: both readings are tried.
LONG_CARD = r"(?<![\w-])\d{4}([ -])\d{4}\1\d{4}\1\d{4}\1\d{3}(?!\w)"

# Networks' ranges of first digits, because one digit run in ten passes Luhn's sum by chance.
NETWORK = r"""
    4(?:\d{12}|\d{15}|\d{18})                                               # Visa
  | (?:5[1-5]\d\d|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720))\d{12}        # Mastercard
  | 3[47]\d{13}                                                             # American Express
  | 3(?:0[0-5]|[689]\d)\d{11,16}                                            # Diners Club
  | (?:6011|64[4-9]\d|65\d\d|62\d\d|35\d\d)\d{12,15}                      # Discover, UnionPay, JCB
  | (?:1800|2131)\d{11}                                                     # JCB, 15 digits
  | (?:50|5[6-8]|6\d)\d{10,17}                                              # Maestro
"""

# Total lengths by country: SWIFT, IBAN Registry.
IBAN_LENGTHS = """
NO15 BE16 DK18 FI18 FK18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 CH21 HR21
LI21 LV21 BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24
ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 DJ27 FR27 GR27 IT27 MC27 MR27 SM27
AL28 AZ28 BY28 CY28 DO28 GT28 HN28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 YE30 MT31
MU30 SC31 LC32 RU33
"""
COUNTRIES = "|".join(rf"{c[:2]}\d\d(?:[ -]?[A-Z\d]){{{int(c[2:]) - 4}}}" for c in IBAN_LENGTHS.split())
IBAN_HINT = rf"(?i:\b(?:{'|'.join(c[:2] for c in IBAN_LENGTHS.split())})\d\d(?:[ -]?[A-Z\d]){{11}})"
IBAN = rf"(?<![\w-])(?=[A-Z]{{2}}\d\d)(?:{COUNTRIES})(?![\w-])"

# Area 000, 666 and 9xx, group 00 and serial 0000 are never issued (SSA, POMS RM 10201.030 and RM 10201.035).
SSN = r"(?<![\w-])(?!000|666|9)\d{3}([ -])(?!00)\d\d\1(?!0000)\d{4}(?!\w)"
NAMED_SSN = (
    r"(?<!\w)(?:ssn|social\ssecurity(?:\s(?:number|no))?)(?:\sis)?[\s:#]{1,3}"
    r"(?P<value>(?!000|666|9)\d{3}(?!00)\d\d(?!0000)\d{4})(?!\w)"
)

IPV4 = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w)"
IPV6 = r"(?<![\w:])[\da-f]{1,4}(?::[\da-f]{0,4}){1,6}:[\da-f]{1,4}(?![\w:])"


def luhn(number: str) -> bool:
    """Whether the digits of a number add up: every second one from the right doubled, modulo 10.

    Source: ISO/IEC 7812-1, annex B.
    """
    digits = [int(d) for d in reversed(number) if d.isdecimal()]
    return sum(sum(divmod(2 * d, 10)) if i % 2 else d for i, d in enumerate(digits)) % 10 == 0


def mod97(iban: str) -> bool:
    """Whether an IBAN, its first four characters moved to the end and A to Z read as 10 to 35, is 1 mod 97.

    Source: ISO 13616-1, with the check digits of ISO/IEC 7064 (MOD 97-10).
    """
    sign = "".join(c for c in iban if c.isalnum())
    return int("".join(str(int(c, 36)) for c in sign[4:] + sign[:4])) % 97 == 1


def names_a_machine(address: str) -> bool:
    """Whether it is an IP address (RFC 791, RFC 4291) other than loopback or none.

    Below six characters it is rather a slice in code, such as 1::2.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return len(address) > 5 and not (ip.is_loopback or ip.is_unspecified)


_network = re.compile(NETWORK, re.VERBOSE)


def _is_card(match: re.Match[str]) -> bool:
    return bool(_network.fullmatch("".join(c for c in match[0] if c.isdecimal()))) and luhn(match[0])


DETECTORS = (
    Detector("card", re.compile(CARD, re.VERBOSE), _is_card, TWELVE),
    Detector("card", re.compile(LONG_CARD), _is_card, TWELVE),
    Detector("iban", re.compile(IBAN, re.IGNORECASE | re.ASCII), lambda m: mod97(m[0]), ACCOUNT, IBAN_HINT),
    Detector("ssn", re.compile(SSN), needs=THREE_TWO_FOUR),
    Detector("ssn", re.compile(NAMED_SSN, re.IGNORECASE), needs=NINE),
    Detector("ip", re.compile(IPV4), lambda m: names_a_machine(m[0]), DOTTED),
    Detector("ip", re.compile(IPV6, re.IGNORECASE), lambda m: names_a_machine(m[0]), COLONS),
)
