"""What came back from the web, whole and decompressed."""

from typing import Any

import msgspec
from msgspec import Struct
from w3lib.encoding import html_to_unicode, http_content_type_encoding, read_bom, to_unicode

from openflywheel.collect._web.errors import FetchFailed


class Response(Struct, kw_only=True):
    """A whole reply. `url` is the one that answered, after redirects; names of headers are in lower case.

    Headers that came more than once are joined by ", " (RFC 9110, section 5.3). `seconds`: from sending the
    request that was answered to its last byte.
    """

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """Is the status a success?"""
        return 200 <= self.status < 300

    @property
    def mime(self) -> str:
        """The media type without its parameters, in lower case; "" when none was said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """The encoding that the headers name, as Python calls it; "" when they name none that is known."""
        return http_content_type_encoding(self.headers.get("content-type")) or ""

    @property
    def text(self) -> str:
        """The body as text, by its byte order mark, the header's charset, its own <meta>, or as UTF-8.

        What cannot be decoded becomes U+FFFD. Only markup is searched for a <meta>.
        """
        if not self.mime or "html" in self.mime or "xml" in self.mime:
            return html_to_unicode(self.headers.get("content-type"), self.body)[1]
        mark, length = _mark(self.body)
        return to_unicode(self.body[length:], mark or self.charset or "utf-8")

    def json(self) -> Any:
        """The body as JSON. Raises FetchFailed."""
        try:
            return msgspec.json.decode(self.body.removeprefix(b"\xef\xbb\xbf"))
        except msgspec.DecodeError as error:
            raise FetchFailed("bad json", self.url, str(error)) from None


def _mark(body: bytes) -> tuple[str, int]:
    """The encoding that a byte order mark names, and the mark's length."""
    encoding, mark = read_bom(body)
    return encoding or "", len(mark or b"")
