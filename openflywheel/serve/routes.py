"""How the tasks that write text are answered: variants, their shares, and who steps in."""

from collections.abc import Mapping

from msgspec import Struct

from openflywheel.base.errors import SettingsError

EXTRACTIVE = "flywheel/extractive"  # the model of a variant that answers in the gateway's own process
CHAMPION = "flywheel/champion"  # the model that was promoted for the task, where a generator serves it
OWN = (EXTRACTIVE, CHAMPION)


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way of answering: a model, and its weight in the split.

    `model` is a provider's, as in openai/gpt-x, or flywheel/extractive: quotes of what the wheel has curated;
    where none is sure enough, the route's fallback is asked, or a person. Or flywheel/champion: the model
    that the wheel has taught and promoted for the task, served by one of `generators`.
    """

    model: str
    weight: float = 1.0


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The variants of a task; a subject keeps the one it was given. `fallback` models are tried in turn.

    A request is tried again `retries` times at each model, as long as retries stay under `retry_share` of
    all requests to the provider: when everything fails, retrying everything would bury it.
    """

    variants: dict[str, Variant]
    fallback: tuple[str, ...] = ()
    retries: int = 2
    retry_share: float = 0.2


def routes(**tasks: Route) -> Mapping[str, Route]:
    """Task -> its variants: `answer: {variants: {small: {model: local/qwen}}, fallback: [openai/gpt-x]}`.

    Raises SettingsError for a route without a variant, with weights of which none is above zero, or with
    flywheel/extractive or flywheel/champion among its fallbacks.
    """
    for task, route in tasks.items():
        weights = [v.weight for v in route.variants.values()]
        if not weights or min(weights) < 0 or sum(weights) <= 0:
            raise SettingsError(
                f"serve.routes: {task}: weights = {weights}; give at least one variant a weight above 0"
            )
        for own in set(OWN).intersection(route.fallback):
            raise SettingsError(
                f"serve.routes: {task}: fallback: {own} can only be a variant; name a provider's model"
            )
    return tasks
