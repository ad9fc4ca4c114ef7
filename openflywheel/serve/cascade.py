"""The own model answers when it is sure enough; else a bigger model or a person does."""

from collections.abc import Iterable, Mapping
from math import inf

from msgspec import Struct, field

from openflywheel.base.champion import CASCADE
from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.nouns import Verdict
from openflywheel.base.settings import Costs, Settings, Task

PERSON = "person"


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the own model answers a task: with at most so much `error`, or from the confidence `least` on.

    `else` answers the rest: a provider's model, as in openai/gpt-large, or a person.
    """

    error: float | None = None
    least: float | None = None
    else_: str = field(default=PERSON, name="else")


class Rule(Struct, frozen=True):
    """Who answers a task: the own model from a confidence of `least` on, `other` below it.

    With an `error` the threshold is the certified one, and `least` (infinite) holds until there is one.
    """

    least: float
    error: float | None = None
    other: str = PERSON

    def threshold(self, certified: Verdict | None) -> float:
        """Confidence from which on the champion answers, given the newest cascade Verdict about it.

        One that was certified for a larger error, before the settings were changed, does not hold.
        """
        if self.error is None or certified is None or certified.passed != "yes":
            return self.least
        score, high = certified.score, certified.high
        return self.least if score is None or high is None or high > self.error else score


def cascade(tasks: Mapping[str, Task], /, **limits: Limit) -> dict[str, Rule]:
    """Task -> its rule, for every label task.

    With an `error` the threshold is set by risk control: the serve room looks for the lowest one at which at
    most that share of the model's answers is wrong, with 95 % confidence (see `_risk.py`), and until it has
    found one the model answers nothing. `least` sets the threshold by hand. A task without either follows
    Chow's rule (Chow 1970, IEEE Trans. Inf. Theory 16): hand over when the expected cost of a wrong answer,
    (1 - confidence) * costs.error, exceeds costs.person less costs.call. Raises SettingsError.
    """
    for name, limit in limits.items():
        _check(name, limit, tasks)
    labels = {name: task for name, task in tasks.items() if task.kind == "label"}
    return {name: _rule(limits.get(name, Limit()), task.costs) for name, task in labels.items()}


def _check(name: str, limit: Limit, tasks: Mapping[str, Task]) -> None:
    where = f"serve.cascade: {name}"
    if name not in tasks:
        raise SettingsError(f"serve.cascade: there is no task {name!r}; {suggest(name, tasks)}")
    if tasks[name].kind != "label":
        raise SettingsError(
            f"{where} is a task of the kind {tasks[name].kind!r}; a cascade needs a label task"
        )
    if limit.error is not None and limit.least is not None:
        raise SettingsError(f"{where}: error and least exclude each other; keep one")
    if limit.error is not None and not 0 < limit.error < 1:
        raise SettingsError(f"{where}: error = {limit.error:g} is not a share between 0 and 1, such as 0.02")
    if limit.least is not None and not 0 <= limit.least <= 1:
        raise SettingsError(f"{where}: least = {limit.least:g} is not a probability between 0 and 1")
    if limit.else_ != PERSON and "/" not in limit.else_:
        raise SettingsError(f"{where}: else = {limit.else_!r}; write person, or PROVIDER/MODEL")


def _rule(limit: Limit, costs: Costs) -> Rule:
    if limit.error is not None:
        return Rule(inf, limit.error, limit.else_)
    chow = max(0.0, 1 - (costs.person - costs.call) / costs.error) if costs.error > 0 else 0.0
    return Rule(chow if limit.least is None else limit.least, None, limit.else_)


def rules(settings: Settings) -> dict[str, Rule]:
    """The rules of a flywheel's cascade; without one there are none. Raises SettingsError."""
    chosen = [c.settings for c in settings.rooms.get("serve", ()) if c.name == CASCADE]
    return cascade(settings.tasks, **chosen[-1]) if chosen else {}


def certified(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Model id -> the newest cascade Verdict about it; `verdicts` come oldest first."""
    return {v.about: v for v in verdicts if v.check == CASCADE}
