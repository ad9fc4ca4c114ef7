"""Several adapters beside one language model, each for a domain; a head on the encoder chooses among them.

Its manifest names the weights of the model ("base"), the head ("router", whose labels are the domains) and,
in the order of these labels, the folders of the peft adapters ("adapters").
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from openflywheel.base.errors import EncoderError, StoreError
from openflywheel.base.forms.generator import Generator
from openflywheel.base.forms.head import Encoder, Head
from openflywheel.base.instruments import artefact, checkpoint
from openflywheel.base.instruments.answers import Chat

FORM = "mixture"


class Mixture:
    """Writes each answer with the adapter of the chat's domain (answers.Writing)."""

    def __init__(self, model: Any, tokenizer: Any, router: Head, encoder: Encoder) -> None:
        self.model, self.router, self.encoder = model, router, encoder
        self.generator = Generator(model, tokenizer)
        self.lock = Lock()  # while an adapter is chosen, nobody may choose another one

    def domains(self, chats: Sequence[Chat]) -> list[str]:
        """The likeliest domain of each chat."""
        return self.router.predict(self.encoder.encode([asked(chat) for chat in chats])) if chats else []

    def use(self, domain: str) -> None:
        """Let the model work with the adapter of a domain, until it is told otherwise."""
        self.model.set_adapter(str(self.router.labels.index(domain)))

    def write(self, chats: Sequence[Chat], *, most_tokens: int = 256) -> list[str]:
        """The likeliest next message of each chat; chats of a domain are answered together."""
        found, written = self.domains(chats), [""] * len(chats)
        for domain in sorted(set(found)):
            places = [i for i, each in enumerate(found) if each == domain]
            with self.lock:
                self.use(domain)
                texts = self.generator.write([chats[i] for i in places], most_tokens=most_tokens)
            for place, text in zip(places, texts, strict=True):
                written[place] = text
        return written


def asked(chat: Chat) -> str:
    """What tells the domain: all that the person said, the last first, for the encoder reads 128 tokens."""
    return "\n".join(message["content"] for message in reversed(chat) if message["role"] == "user")


def opened(place: Path, *, encoder: Encoder, folder: Path, hubs: Collection[str] = ()) -> Mixture:
    """A mixture that was kept; `folder` is where a relative path of its base begins;
    `hubs` are the bases that may be fetched (checkpoint.local).
    Raises StoreError when it was changed on disk, lacks an adapter, or its base is another one than it was
    taught on, EncoderError when its router was taught on another encoder, and MissingExtra.
    """
    said, tensors = artefact.read(place)
    router = Head.of(said["router"], tensors)
    if router.encoder != encoder.name:
        raise EncoderError(
            f"the model {place.name} chooses its adapters by the encoder {router.encoder!r}, this process has"
            f" {encoder.name!r}; set  encoder:  in flywheel.yaml back, or see: flywheel doctor"
        )
    # By their places: a module of torch can't have any name that a domain may have ("shop.de").
    adapters = {str(number): _there(place / name) for number, name in enumerate(said["adapters"])}
    model, tokenizer = checkpoint.loaded(checkpoint.local(said["base"], folder, hubs))
    tokenizer.chat_template = said.get("template") or tokenizer.chat_template
    return Mixture(checkpoint.beside(model, adapters), tokenizer, router, encoder)


def _there(adapter: Path) -> Path:
    if not adapter.is_dir():
        raise StoreError(f"the model in {adapter.parent} lacks an adapter: there is no {adapter}")
    return adapter
