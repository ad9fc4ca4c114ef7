"""Who else can answer: model providers by URL and key."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from openflywheel.base.errors import SettingsError

RESERVED = ("flywheel", "person")


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dollars for a million tokens."""

    input: float = 0.0
    output: float = 0.0


class Breaker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After so many failures in a row a provider is left alone for `pause` seconds, then tried once."""

    failures: int = 5
    pause: float = 10.0


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint. `dialect` is the API that it speaks; `url` ends with its version, as in .../v1.

    `timeout`: seconds until the first byte of an answer, and between two; `connect`: until the connection
    stands. At most `concurrency` requests run at once; further ones wait up to `queue` seconds. `models`
    names what it serves, for `model` without a provider's name. `sampling`: whether its models take
    `temperature` and `top_p` (Anthropic's newer ones refuse them), where a request is translated for it.
    """

    url: str
    key: str = ""
    dialect: Literal["openai", "anthropic"] = "openai"
    models: tuple[str, ...] = ()
    sampling: bool = True
    prices: dict[str, Price] = {}
    concurrency: int = 256
    queue: float = 5.0
    connect: float = 5.0
    timeout: float = 600.0
    breaker: Breaker = Breaker()
    headers: dict[str, str] = {}

    def cost(self, model: str, input_tokens: int, output_tokens: int) -> float:
        """Dollars for some tokens of a model; models without a price cost nothing."""
        price = self.prices.get(model)
        return (price.input * input_tokens + price.output * output_tokens) / 1e6 if price else 0.0


def providers(**named: Provider) -> Mapping[str, Provider]:
    """Model providers under names of your own, which begin the names of their models: `openai/gpt-x`.

    Any endpoint that speaks OpenAI's or Anthropic's API: a paid one, vLLM, llama.cpp. Raises SettingsError
    for a reserved name, or a URL that is none.
    """
    for name, provider in named.items():
        if name in RESERVED or "/" in name:
            raise SettingsError(f"serve.providers: {name!r} cannot name a provider; choose another word")
        if not provider.url.startswith(("http://", "https://")):
            raise SettingsError(
                f"serve.providers: {name}: url = {provider.url!r} does not begin with http:// or https://"
            )
    return named
