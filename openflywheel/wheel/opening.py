"""Models of the store, ready to answer."""

from functools import partial

from openflywheel.base.forms import opened
from openflywheel.base.instruments.answers import Answers
from openflywheel.base.nouns import Model
from openflywheel.base.settings import Settings
from openflywheel.store import Store
from openflywheel.store.vectors import CachedEncoder
from openflywheel.wheel.asking import ask
from openflywheel.wheel.tables import providers


class Opener:
    """Opens models, whatever their form, with what their readers may want."""

    def __init__(self, settings: Settings, store: Store, encoder: CachedEncoder) -> None:
        self._store = store
        known = providers(settings)
        self._handed = {
            "encoder": encoder,
            "ask": partial(ask, providers=known),
            "providers": known,
            "folder": settings.folder,
        }

    def __call__(self, model: Model) -> Answers:
        """A model ready to answer; who asks it often keeps it. Raises as `forms.opened` does."""
        return opened(self._store.path / model.uri, self._handed)
