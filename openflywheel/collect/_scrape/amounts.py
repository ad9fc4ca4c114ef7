"""Prices, numbers and ratings as people write them, as plain decimals: "1.234,50 €" is 1234.50."""

import re
from decimal import Decimal, InvalidOperation

MOST = 200  # characters looked at: an amount stands at the beginning of what a selector finds

SPACES = "\u0020\u00a0\u2007\u2009\u202f"  # also between thousands
NUMBER = re.compile(rf"[-\u2212+]?(?:\d+(?:(?:[.,'\u2019]|[{SPACES}](?=\d{{3}}(?!\d)))\d+)*|[.,]\d+)")
SYMBOLS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫":
    "VND", "₱": "PHP", "₦": "NGN", "฿": "THB", "₸": "KZT", "R$": "BRL", "A$": "AUD", "AU$": "AUD", "C$":
    "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "US$":
    "USD", "CN¥": "CNY", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "лв": "BGN", "Fr.": "CHF", "元": "CNY",
    "円": "JPY", "$": "USD", "¥": "JPY",
}  # fmt: skip
CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT "
    "LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
    "NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP "
    "STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG "
    "XOF XPF YER ZAR ZMW ZWG"
)  # ISO 4217; three letters in it are one of them
SIGN = re.compile("|".join(re.escape(s) for s in sorted(SYMBOLS, key=len, reverse=True)))
CODE = re.compile(r"(?<![A-Za-z])[A-Za-z]{3}(?![A-Za-z])")
OF = re.compile(r"\s*(?:/|of|out of|von|sur|de|su|van|av|z)\s*(?=\d)", re.I)


def number(said: str) -> str:
    """The first number of a text, as a plain decimal; "" when there is none.

    Of "." and "," the last one is the decimal sign, unless it stands more than once or three digits follow
    the only one there is: nobody writes thousandths of a price.
    """
    found = NUMBER.search(said[:MOST])
    if not found:
        return ""
    digits = re.sub(rf"[+'\u2019{SPACES}]", "", found[0]).replace("\u2212", "-")
    return plain(_decimal_point(digits))


def _decimal_point(digits: str) -> str:
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return digits
    sign = digits[last]
    whole, decimals = re.sub(r"[.,]", "", digits[:last]), digits[last + 1 :]
    one_kind = not ("." in digits and "," in digits)
    grouped = len(decimals) == 3 and whole.lstrip("-0") and len(whole.lstrip("-")) <= 3
    if digits.count(sign) > 1 or (one_kind and grouped):
        return whole + decimals
    return f"{whole or '0'}.{decimals}"


def plain(said: str) -> str:
    """A machine's number ("1E+2", "007.50") as a plain decimal; "" when it is none, or beyond 10^15."""
    try:
        value = Decimal(said.strip())
    except InvalidOperation:
        return ""
    if not value.is_finite() or abs(value) >= 10**15 or (value and value.adjusted() < -15):
        return ""
    return f"{value:f}"


def price(said: str) -> tuple[str, str]:
    """Amount and ISO 4217 code; "" for what is not told.

    "$" alone is read as USD and "¥" as JPY; "kr" is three currencies, so none.
    """
    said = said[:MOST]
    codes = [c.upper() for c in CODE.findall(said) if c.upper() in CODES and (c.isupper() or c.islower())]
    sign = SIGN.search(said)
    return number(said), codes[0] if codes else SYMBOLS[sign[0]] if sign else ""


def rating(said: str) -> tuple[str, str]:
    """A rating and the best there is: "4,5 out of 5", "9/10", "87 %"; the best is "" when it is not told."""
    said = said[:MOST]
    first = NUMBER.search(said)
    if not first:
        return "", ""
    rest = said[first.end() :]
    of = OF.match(rest)
    best = number(rest[of.end() :]) if of else "100" if rest.lstrip().startswith("%") else ""
    return plain(first[0].replace(",", ".")), best
