"""The gateway's tables of flywheel.yaml, checked against each other."""

from typing import Any

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.settings import Settings
from openflywheel.serve.cascade import PERSON, rules
from openflywheel.serve.gateway import GatewaySettings, gateway
from openflywheel.serve.generators import Generator
from openflywheel.serve.generators import generators as checked_generators
from openflywheel.serve.providers import Provider
from openflywheel.serve.providers import providers as checked_providers
from openflywheel.serve.routes import OWN, Route
from openflywheel.serve.routes import routes as checked_routes

SERVED = ("collect.webhook", "guard", "serve")  # the rooms and plugins that a gateway process needs


def check(settings: Settings) -> None:
    """Raises SettingsError for what would only fail in a worker process."""
    gateway_settings(settings)
    routes(settings)
    teachers(settings)
    generators(settings)


def gateway_settings(settings: Settings) -> GatewaySettings:
    """The table `serve: gateway:`, or its defaults. Raises SettingsError."""
    return gateway(**_chosen(settings, "gateway"))


def providers(settings: Settings) -> dict[str, Provider]:
    """The table `serve: providers:`. Raises SettingsError."""
    return dict(checked_providers(**_chosen(settings, "providers")))


def generators(settings: Settings) -> dict[str, Generator]:
    """The table `serve: generators:`, or its default. Raises SettingsError."""
    return dict(checked_generators(**_chosen(settings, "generators")))


def bases(settings: Settings) -> frozenset[str]:
    """The bases that generators and trainers name: no other one is fetched from the Hugging Face hub.

    A gateway process knows those of generators alone. Raises SettingsError.
    """
    tables = [chosen.settings for chosen in settings.rooms.get("customize", ())]
    named = [table.get("base") for table in (*tables, *(table.get("using") or {} for table in tables))]
    served = [one.base for one in generators(settings).values()]
    return frozenset(base for base in (*named, *served) if isinstance(base, str) and base)


def routes(settings: Settings) -> dict[str, Route]:
    """The table `serve: routes:`, each model of which must have a provider. Raises SettingsError."""
    found = dict(checked_routes(**_chosen(settings, "routes")))
    for task, route in found.items():
        if task not in settings.tasks or settings.tasks[task].kind != "text":
            texts = [name for name, t in settings.tasks.items() if t.kind == "text"]
            raise SettingsError(f"serve.routes: there is no text task {task!r}; {suggest(task, texts)}")
        for model in (m for m in models(route) if m not in OWN):
            _known(model, settings, f"serve.routes: {task}")
    return found


def models(route: Route) -> list[str]:
    """Every model of a route, variants first."""
    return [*(variant.model for variant in route.variants.values()), *route.fallback]


def teachers(settings: Settings) -> dict[str, str]:
    """Label task -> the model that answers where our own is not sure enough. Raises SettingsError."""
    found = {task: rule.other for task, rule in rules(settings).items() if rule.other != PERSON}
    for task, model in found.items():
        _known(model, settings, f"serve.cascade: {task}: else")
    return found


def _known(model: str, settings: Settings, where: str) -> None:
    named = providers(settings)
    if model.partition("/")[0] not in named:
        choices = ", ".join(named) or "none"
        raise SettingsError(f"{where}: {model!r} names no provider; write PROVIDER/MODEL, one of: {choices}")


def _chosen(settings: Settings, name: str) -> dict[str, Any]:
    tables = [c.settings for c in settings.rooms.get("serve", ()) if c.name == name]
    return tables[-1] if tables else {}
