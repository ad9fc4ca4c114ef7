"""Language models that the wheel has taught, and the generators of flywheel.yaml that serve them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from openflywheel.base.instruments import artefact
from openflywheel.base.nouns import Model
from openflywheel.base.settings import Settings
from openflywheel.serve._generators.champion import FORM, Champion, chosen
from openflywheel.serve._generators.child import Child
from openflywheel.serve._generators.engine import Engine
from openflywheel.serve._generators.vllm import VLLM
from openflywheel.serve._generators.writing import served
from openflywheel.store import Store
from openflywheel.wheel.tables import generators

if TYPE_CHECKING:
    from openflywheel.base.instruments.answers import Writing  # it imports numpy: a gateway does without

PLACE = "generators"  # the folder in the store with what generators need beside the models


def engine(name: str, settings: Settings, store: Store) -> Engine:
    """A generator of the settings, ready to load."""
    told, place = generators(settings)[name], (store.path / PLACE).absolute()
    home = settings.folder.absolute()
    if told.engine == "vllm":
        return VLLM(name, told, place / f"{name}-locks", home)
    return Child(name, told, place, home)


def champion(model: Model, store: Store) -> Champion | None:
    """A model as generators load it; None when it is of another form than they know.

    Reads all of its files, once. Raises StoreError when one was changed on disk.
    """
    place = (store.path / model.uri).absolute()
    said = artefact.manifest(place)
    return Champion.of(model.id, place, said) if said.get("form") == FORM else None


@contextmanager
def written_by(model: Model, settings: Settings, store: Store) -> "Iterator[Writing]":
    """A language model as its generator serves it, for as long as the block lasts.

    Raises StoreError, SettingsError for a model that no generator serves, NotLoaded.
    """
    found = champion(model, store)
    if found is None:
        raise TypeError(f"{model.id} is not of the form {FORM!r}: open it with forms.opened")
    name = chosen(generators(settings), found)
    with served(partial(engine, name, settings, store), found) as writing:
        yield writing
