"""A JSON API: what it answers, its errors in words, and credentials that are sent to its own origin alone."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.web import Response, Web

MOST = 64_000_000  # bytes of an answer: 1,000 long tickets have about 20,000,000
NONE: Mapping[str, str] = {}
REFUSED = {
    401: "it does not accept the credentials; correct the key in flywheel.yaml",
    403: "the credentials are not allowed to read this; give them the right to, or use others",
    404: "there is no such address; correct the url in flywheel.yaml",
    429: "it asks to wait for longer than a minute; what is left comes in the next turn",
}


class API:
    """An API as one source asks it. `secret` holds query parameters that are in no error and no state."""

    def __init__(
        self,
        web: Web,
        source: str,
        url: str,
        *,
        headers: Mapping[str, str] = NONE,
        secret: Mapping[str, str] = NONE,
    ) -> None:
        self._web, self.source, self.url = web, source, url.rstrip("/")
        self._origin = origin(self.url)
        self._headers = {"accept": "application/json", **headers}
        self._secret = secret

    def json(self, url: str) -> Any:
        """The JSON at a URL. Raises SourceFailed, which names the URL without its query."""
        return self.parsed(self.get(url))

    def get(self, url: str) -> Response:
        """The answer at a URL of this API. Raises SourceFailed unless it is a success."""
        return self.accepted(self.ask(url))

    def accepted(self, response: Response) -> Response:
        """The answer, if it is a success. Raises SourceFailed, which says what to do about it."""
        if response.ok:
            return response
        why = REFUSED.get(response.status, "that is for its owner to look at; the next turn asks again")
        raise self.failed(response.url, f"answered {response.status}: {why}")

    def ask(self, url: str) -> Response:
        """The answer at a URL of this API, whatever its status. Raises SourceFailed."""
        if origin(url) != self._origin:  # the credentials are for one origin
            raise self.failed(url, f"is not at {self._origin}, and its credentials are sent nowhere else")
        try:
            return self._web.get(with_query(url, self._secret), headers=self._headers, most=MOST)
        except FetchFailed as error:
            raise self.failed(url, error.reason) from None

    def parsed(self, response: Response) -> Any:
        """The JSON of an answer. Raises SourceFailed."""
        try:
            return response.json()
        except (FetchFailed, RecursionError):
            raise self.failed(
                response.url, "answered with what is no JSON; does the url name the API?"
            ) from None

    def failed(self, url: str, said: str) -> SourceFailed:
        """The error of this source about a URL."""
        return SourceFailed(f"{self.source}: {bare(url)}: {said}")


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic authentication (RFC 7617)."""
    return {"authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token (RFC 6750); none without a token."""
    return {"authorization": f"Bearer {token}"} if token else {}


def origin(url: str) -> str:
    """Scheme, host and port. Raises SettingsError for what is no http URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{bare(url)!r} is not the URL of an API; write https://host/path")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def bare(url: str) -> str:
    """A URL without user, query and fragment: what may be shown."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def with_query(url: str, values: Mapping[str, Any]) -> str:
    """A URL with these query parameters, in the place of those of the same name."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in values]
    query = urlencode([*kept, *((k, str(v)) for k, v in values.items())])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def without_query(url: str, names: Mapping[str, Any]) -> str:
    """A URL without query parameters of these names."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in names]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))
