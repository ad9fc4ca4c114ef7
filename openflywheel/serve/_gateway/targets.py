"""Whom the `model` of a request means: a task, a variant of one, or a provider's model."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from msgspec import Struct

from openflywheel.base.errors import suggest
from openflywheel.base.settings import Task
from openflywheel.serve._gateway.surfaces import Refusal, Surface
from openflywheel.serve._generators.held import Held
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve._upstream.split import draw
from openflywheel.serve.routes import CHAMPION, EXTRACTIVE, Route

OURS = "flywheel"
ENCODER = f"{OURS}/encoder"
DIRECT = Route(variants={})  # how a provider's model is asked when the client names it: retries, no fallback
NOTHING = nullcontext()


class Plan(Struct, frozen=True):
    """Who answers: our own model first when `own`, then the targets in turn.

    `with plan.held:` stands around the answer, so that a model of ours stays loaded until it is given.
    """

    task: str = ""
    variant: str = ""
    propensity: float = 1.0
    own: bool = False
    targets: tuple[Target, ...] = ()
    route: Route = DIRECT
    held: AbstractContextManager[None] = NOTHING


class Directory:
    """Every name that a client may put into `model`. `teachers` maps a label task to who answers else.

    `champion` gives the model of ours that answers a text task now, where one is loaded.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        routes: Mapping[str, Route],
        upstreams: Mapping[str, Upstream],
        teachers: Mapping[str, str],
        champion: Callable[[str], Held | None] = lambda _: None,
    ) -> None:
        self._champion = champion
        self._tasks, self._routes, self._upstreams, self._teachers = tasks, routes, upstreams, teachers
        self._declared = [(name, model) for name, u in upstreams.items() for model in _served(u)]
        self._models = {model: name for name, model in reversed(self._declared)}  # the first that declares it

    def names(self) -> list[str]:
        """What /v1/models lists of our own: tasks, their variants, the encoder, declared models."""
        served = [name for name, task in self._tasks.items() if task.kind != "text" or name in self._routes]
        own = [f"{OURS}/{name}" for name in served]
        variants = [f"{OURS}/{task}/{v}" for task, route in self._routes.items() for v in route.variants]
        return [*own, *variants, ENCODER, *(f"{name}/{model}" for name, model in self._declared)]

    def plan(self, model: str, subject: str, surface: Surface) -> Plan:
        """Who answers a request for a model. Raises Refusal for a name that nobody has."""
        first, _, rest = model.partition("/")
        if first == OURS:
            return self._task(rest, subject) if model != ENCODER else Plan(variant=ENCODER, own=True)
        if target := self._target(model, surface):
            return Plan(variant=f"{target.upstream.name}/{target.model}", targets=(target,))
        raise Refusal(404, f"there is no model {model!r}; {suggest(model, self.names())}", "model_not_found")

    def _task(self, name: str, subject: str) -> Plan:
        task, _, variant = name.partition("/")
        if task in self._routes:
            return self._routed(task, variant, subject)
        if task in self._tasks and self._tasks[task].kind != "text" and not variant:
            teacher = self._target(self._teachers.get(task, ""), None)
            return Plan(task=task, own=True, targets=(teacher,) if teacher else ())
        known = [n.removeprefix(f"{OURS}/") for n in self.names() if n.startswith(f"{OURS}/")]
        raise Refusal(404, f"there is no task {name!r}; {suggest(name, known)}", "model_not_found")

    def _routed(self, task: str, variant: str, subject: str) -> Plan:
        route, propensity = self._routes[task], 1.0
        if not variant:
            variant, propensity = draw(task, route, subject)
        if variant not in route.variants:
            raise Refusal(
                404, f"task {task!r} has no variant {variant!r}; {suggest(variant, route.variants)}",
                "model_not_found",
            )  # fmt: skip
        if route.variants[variant].model == CHAMPION:
            return self._championed(task, variant, propensity)
        own = route.variants[variant].model == EXTRACTIVE
        models = route.fallback if own else (route.variants[variant].model, *route.fallback)
        return Plan(
            task=task, variant=variant, propensity=propensity, own=own, targets=self._all(models), route=route
        )

    def _championed(self, task: str, variant: str, propensity: float) -> Plan:
        """Our own model, then the fallback; where none of ours is loaded, the fallback under its own name."""
        route, held = self._routes[task], self._champion(task)
        others = self._all(route.fallback)
        if held is None and not others:
            raise Refusal(
                503, f"no model of the task {task!r} is loaded: none was promoted yet, or see the log",
                "no_champion", headers={"retry-after": "1"},
            )  # fmt: skip
        return Plan(
            task=task,
            variant=variant if held else "",
            propensity=propensity,
            own=held is not None and held.target is None,
            targets=(held.target, *others) if held and held.target else others,
            route=route,
            held=held or NOTHING,
        )

    def _all(self, models: Sequence[str]) -> tuple[Target, ...]:
        return tuple(t for model in models if (t := self._target(model, None)))

    def _target(self, model: str, surface: Surface | None) -> Target | None:
        """A provider's model, by its provider's name, by a declaration, or where only one can be meant."""
        first, _, rest = model.partition("/")
        if first in self._upstreams and rest:
            return Target(self._upstreams[first], rest)
        if model in self._models:
            return Target(self._upstreams[self._models[model]], model)
        fit = [u for u in self._upstreams.values() if surface and u.provider.dialect == surface.dialect]
        return Target(fit[0], model) if len(fit) == 1 and model else None


def _served(upstream: Upstream) -> list[str]:
    return list(dict.fromkeys([*upstream.provider.models, *upstream.provider.prices]))
