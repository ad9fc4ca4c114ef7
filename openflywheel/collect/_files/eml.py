"""A mail (RFC 5322): its text, with the subject line; attachments are files in it.

Whom it is from is the person it is by; to whom it was sent is left out.
"""

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parseaddr

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found, Refused, Spent
from openflywheel.collect._files.member import refused
from openflywheel.collect._site.page import read as read_page

LONGEST = 16_384  # characters of a header


def read(file: File) -> Iterator[Found | Drop | File]:
    """One text, then the attachments."""
    _check_headers(file)
    message = BytesParser(EmailMessage, policy=policy.default).parse(file.stream)
    meta = {"title": str(message["subject"] or ""), "published": _sent(message)}
    yield Found(
        text=_body(message),
        meta={k: v for k, v in meta.items() if v},
        person=parseaddr(str(message["from"] or ""))[1].lower(),
    )
    for number, part in enumerate(message.iter_attachments(), start=1):
        yield from _attached(file, part, number)


def _check_headers(file: File) -> None:
    """The default policy takes a time that grows with the square of a header's length; compat32 does not.

    Raises Refused.
    """
    raw = BytesParser(policy=policy.compat32).parsebytes(file.whole())
    if any(len(str(value)) > LONGEST for part in raw.walk() for value in part.values()):
        raise Refused("header too long")
    file.stream.seek(0)


def _sent(message: EmailMessage) -> str:
    date = getattr(message["date"], "datetime", None)
    return date.isoformat() if date else ""


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    if part.get_content_type() == "text/html":
        return read_page(_bytes(part), "", part.get_content_charset("")).text
    return str(part.get_content()).replace("\r\n", "\n").strip()


def _attached(file: File, part: EmailMessage, number: int) -> Iterator[File | Drop]:
    name = part.get_filename() or f"{number}{'.eml' if _is_mail(part) else ''}"
    if reason := refused(name):
        yield Drop(reason)
        return
    try:
        yield file.inner(name, iter([_bytes(part)]))
    except Spent:
        raise
    except Refused as why:
        yield Drop(str(why))


def _bytes(part: MIMEPart) -> bytes:
    """What a part holds, decoded; a mail in a mail as it is. Raises AttributeError when it is broken."""
    content = part.get_content() if _is_mail(part) else part.get_payload(decode=True)
    return content if isinstance(content, bytes) else bytes(content)


def _is_mail(part: MIMEPart) -> bool:
    return part.get_content_type() == "message/rfc822"
