"""Dates as people and machines write them, as ISO 8601."""

import re
from datetime import date, datetime

from openflywheel.base.instruments.dates import iso_date

MOST = 200  # characters looked at

ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\s?(?:Z|[+-]\d\d:?\d\d)?)?")
NUMBERS = re.compile(r"(?<!\d)(\d{1,4})([./-])(\d{1,2})\2(\d{2}|\d{4})(?!\d)")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{MONTH},?\s+(\d{{4}})", re.I)
MONTH_FIRST = re.compile(rf"\b{MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})", re.I)


def iso(said: str, form: str = "") -> str:
    """A date, or a moment with its offset if it has one, as ISO 8601; "" when it is none or not certain.

    Read are ISO 8601, RFC 5322, English months, and numbers of which only one order makes sense: 05.03.2024
    has its day first, 03/05/2024 is either and so none. `form` is strptime's and then alone is read.
    """
    said = said.strip()[:MOST]
    if form:
        return _by(form, said)
    readers = (_iso, _mail, _numbers, _day_first, _month_first)
    return next((found for reader in readers if (found := reader(said))), "")


def _by(form: str, said: str) -> str:
    try:
        found = datetime.strptime(said, form)
    except ValueError:
        return ""
    timed = any(sign in form for sign in ("%H", "%I", "%T", "%X", "%c"))
    return found.isoformat() if timed else found.date().isoformat()


def _iso(said: str) -> str:
    if re.fullmatch(r"\d{8}", said):
        return _date(said[:4], said[4:6], said[6:])
    found = ISO.search(said)
    if not found:
        return ""
    try:
        moment = datetime.fromisoformat(re.sub(r"\s(?=[Z+-])", "", found[0]).replace(",", "."))
    except ValueError:
        return ""
    return moment.date().isoformat() if len(found[0]) == 10 else moment.isoformat()


def _mail(said: str) -> str:
    return iso_date(said) if ":" in said else ""


def _numbers(said: str) -> str:
    found = NUMBERS.search(said)
    if not found:
        return ""
    first, sign, second, third = found.groups()
    if len(first) == 4:
        return _date(first, second, third) if len(third) == 2 else ""
    if len(third) != 4:
        return ""
    if sign == "." or int(first) > 12:
        return _date(third, second, first)
    return _date(third, first, second) if int(second) > 12 or first == second else ""


def _day_first(said: str) -> str:
    found = DAY_FIRST.search(said)
    return _date(found[3], str(MONTHS.index(found[2].lower()) + 1), found[1]) if found else ""


def _month_first(said: str) -> str:
    found = MONTH_FIRST.search(said)
    return _date(found[3], str(MONTHS.index(found[1].lower()) + 1), found[2]) if found else ""


def _date(year: str, month: str, day: str) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""
