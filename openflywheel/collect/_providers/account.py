"""Our account at a provider: its HTTP API under our key, which never leaves the request's headers."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.collect._providers.product import Refused
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.web import Response, Web

T = TypeVar("T")
SAID = 200  # characters of a provider's own words in an error
MOST = 16_000_000  # bytes of an answer: results of a search and catalogues are far smaller
DELIVERY = 256_000_000  # bytes of a download, which is held at once; `deliver` more to a bucket
WHY = {
    401: "does not know our key",
    402: "wants to be paid first",
    403: "refuses us",
    404: "does not have it",
    429: "asks us to slow down",
}
GUARDED = "address not allowed"  # a SearXNG of one's own is often at a private one
NEVER = (400, 404, 410, 422)  # asking again will not help
EXAMPLES = {"key": '"${BRIGHTDATA_KEY}"', "url": "https://searx.example.org", "zone": "serp_api1"}


class Account:
    """A provider's API under a key. `header` names its header, with the word before the key if there is one.

    What the provider answers with 400 or more is raised in its own words, without the key.
    """

    def __init__(
        self, web: Web, name: str, url: str, key: str = "", header: str = "Authorization: Bearer"
    ) -> None:
        self.name, self.url, self._web, self._key = name, url.rstrip("/"), web, key
        field, _, word = header.partition(": ")
        self._headers = {field: f"{word} {key}".lstrip()} if key else {}

    def __repr__(self) -> str:
        return f"Account({self.name!r}, {self.url!r})"

    def get(self, path: str, **query: object) -> Response:
        """GET a path. Raises SourceFailed, Refused."""
        return self._answer(path, query, None, MOST)

    def download(self, path: str, **query: object) -> Response:
        """GET what was bought: at most DELIVERY bytes. Raises SourceFailed, Refused."""
        return self._answer(path, query, None, DELIVERY)

    def post(self, path: str, body: Any, **query: object) -> Response:
        """POST JSON to a path. Raises SourceFailed, Refused."""
        return self._answer(path, query, msgspec.json.encode(body), MOST)

    def read(self, response: Response, kind: type[T]) -> T:
        """The JSON of an answer as a Struct. Raises SourceFailed."""
        try:
            return msgspec.json.decode(response.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            said = f"answered something else than its API says ({error}): {response.text[:SAID]}"
            raise SourceFailed(self._say(said)) from None

    def _answer(self, path: str, query: Mapping[str, object], body: bytes | None, most: int) -> Response:
        url = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            if body is None:
                response = self._web.get(url, headers=self._headers, most=most)
            else:
                headers = self._headers | {"Content-Type": "application/json"}
                response = self._web.post(url, body, headers=headers, most=most)
        except FetchFailed as error:
            own = "; is it yours? then name its host in wheel.web.allow" if error.reason == GUARDED else ""
            raise SourceFailed(self._say(f"cannot be reached at {self.url}: {error.reason}{own}")) from None
        if response.status >= 400:
            why = WHY.get(response.status, "failed")
            said = f"{why} (status {response.status} to {path}): {response.text[:SAID].strip()}"
            raise (Refused if response.status in NEVER else SourceFailed)(self._say(said))
        return response

    def _say(self, said: str) -> str:
        secret = said.replace(self._key, "***") if self._key else said
        return f"{self.name} {secret}. Check its settings in flywheel.yaml, then: flywheel doctor"


def need(provider: str, **settings: str) -> None:
    """Raises SettingsError for a setting that this provider needs and that is empty."""
    for name, value in settings.items():
        if not value:
            raise SettingsError(
                f"{provider} needs the setting {name!r}, for example  {name}: {EXAMPLES[name]}"
            )
