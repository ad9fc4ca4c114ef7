"""Dates as pages and feeds write them, in one form."""

from datetime import datetime
from email.utils import parsedate_to_datetime


def iso_date(said: str) -> str:
    """ISO 8601 of a date in ISO 8601 or RFC 5322; "" when it is neither. A time zone stays as it was said."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            when = read(said.strip())
        except (ValueError, TypeError, OverflowError):
            continue
        return when.date().isoformat() if len(said.strip()) <= len("2024-01-01") else when.isoformat()
    return ""
