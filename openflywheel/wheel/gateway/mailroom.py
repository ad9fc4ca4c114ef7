"""Lets signed pushes into the store: the gateway's side of `collect: webhook:`."""

import time
from collections.abc import Mapping

from openflywheel.base.errors import SettingsError
from openflywheel.base.keys import Unauthorised
from openflywheel.base.settings import Settings
from openflywheel.collect._push import name, refusal, unsigned
from openflywheel.collect.webhook import check
from openflywheel.store import Store


class Mailroom:
    """The webhooks of flywheel.yaml, by name. Safe to use from many threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        chosen = [c.settings for c in settings.rooms.get("collect", ()) if c.name == "webhook"]
        for one in chosen:
            check(**{key: one[key] for key in ("name", "secret", "token") if key in one})
        self._sources = {one["name"]: one for one in chosen}
        if len(self._sources) < len(chosen):
            raise SettingsError("collect.webhook: two have the same name; each needs one of its own")
        self._inbox = store.inbox

    def takes(self, source: str) -> bool:
        """Is there a webhook of that name?"""
        return source in self._sources

    def signed(self, headers: Mapping[str, str]) -> bool:
        """Could a push with these headers be let in?"""
        return not unsigned(headers)

    def keep(self, source: str, headers: Mapping[str, str], body: bytes) -> str:
        """Keep a body. Raises Unauthorised, StoreError."""
        settings = self._sources[source]
        secret, token = settings.get("secret", ""), settings.get("token", "")
        if why := refusal(headers, body, secret=secret, token=token, now=time.time()):
            raise Unauthorised(why)
        id = name(headers, body)
        self._inbox.put(source, id, headers.get("content-type", ""), body)
        return id
