"""What every reader of HTML needs before the parser: its text, and whether a tag in it is without end."""

from w3lib.encoding import html_body_declared_encoding, html_to_unicode, resolve_encoding

# Codecs that Python knows and no browser: by them "\\u003c" in a page would become "<".
NO_CHARSET = {None, "unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined"}
LONGEST_TAG = 8_192  # characters without "<": 2,000 attributes at the most


def decoded(body: bytes, charset: str = "") -> str:
    """The text of a page's source; `charset` is the one of the HTTP headers, which may be wrong.

    What is valid UTF-8 is UTF-8, whatever the page says: no other text is by chance.
    """
    if b"\x00" not in body and b"\x1b" not in body:  # these are UTF-16 and ISO-2022 when said so
        try:
            return body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":  # cut off within a character
                return error.object[: error.start].decode()  # without the byte order mark
    return _declared(body, charset)


def _declared(body: bytes, charset: str) -> str:
    """By byte order mark, header or <meta>, as browsers do. Python also has codecs that are not of text."""
    for name in (charset, html_body_declared_encoding(body), "utf-8"):
        if not name or resolve_encoding(name) in NO_CHARSET:
            continue
        try:
            return html_to_unicode(f"text/html; charset={name}", body)[1]
        except (LookupError, UnicodeError, ValueError):
            continue
    return body.decode(errors="replace")


def has_gap(text: str) -> bool:
    """Is there a stretch without any "<" that is longer than `LONGEST_TAG`?"""
    at = 0
    while at + LONGEST_TAG < len(text):
        found = text.rfind("<", at, at + LONGEST_TAG + 1)
        if found < 0:
            return True
        at = found + 1
    return False
