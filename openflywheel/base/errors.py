"""Every error a user can meet; each says the thing, the value, the choices and the next command.

FlywheelError
    SettingsError        flywheel.yaml, or a value given to the API, is wrong
    MissingSecret        flywheel.yaml names an environment variable that is not set
    UnknownPlugin        the room has no plugin of that name
    UnknownSetting       the plugin has no setting of that name, or the value does not fit
    MissingExtra         an optional dependency is not installed
    UnknownTask          the flywheel has no task of that name
    UnknownExchange      a signal is about an exchange that the store has never seen
    UnknownRecord        something is asked about a record or a row that the store has never seen
    UnknownModel         the store has no model of that name
    SourceFailed         the far side of a source did not answer, or refused us
    HoldoutRefused       somebody asked for holdout data in order to train on it
    StoreError           the store on disk cannot be used as it is
    WheelBusy            another process is turning this wheel
    EncoderError         the sentence encoder's weights are missing or damaged
"""

from collections.abc import Iterable
from difflib import get_close_matches


class FlywheelError(Exception):
    """Base of all errors meant for the user."""


class SettingsError(FlywheelError):
    """flywheel.yaml, or a value given to the API, is wrong."""


class MissingSecret(SettingsError):
    """flywheel.yaml names an environment variable that is not set."""


class UnknownPlugin(SettingsError):
    """The room has no plugin of that name."""


class UnknownSetting(SettingsError):
    """The plugin has no setting of that name, or the value does not fit; `setting` names it."""

    def __init__(self, said: str, setting: str = "") -> None:
        super().__init__(said)
        self.setting = setting


class MissingExtra(FlywheelError):
    """An optional dependency is not installed."""


class UnknownTask(FlywheelError):
    """The flywheel has no task of that name."""


class UnknownExchange(FlywheelError):
    """A signal is about an exchange that the store has never seen."""


class UnknownRecord(FlywheelError):
    """Something is asked about a record or a row that the store has never seen."""


class UnknownModel(FlywheelError):
    """The store has no model of that name."""


class SourceFailed(FlywheelError):
    """The far side of a source did not answer, or refused us; the gap is shown to it again the next time."""


class HoldoutRefused(FlywheelError):
    """Somebody asked for holdout data in order to train on it."""


class StoreError(FlywheelError):
    """The store on disk cannot be used as it is."""


class WheelBusy(FlywheelError):
    """Another process is turning this wheel."""


class EncoderError(FlywheelError):
    """The sentence encoder's weights are missing or damaged."""


def said(error: Exception) -> str:
    """An error in a line: ours speak for themselves, others with their type."""
    return str(error) if isinstance(error, FlywheelError) else f"{type(error).__name__}: {error}"


def suggest(value: str, choices: Iterable[str]) -> str:
    """End of a sentence about a wrong name: the nearest choice if one is near, else all of them."""
    known = sorted(choices)
    near = get_close_matches(value, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choices: {', '.join(known) or 'none'}"
