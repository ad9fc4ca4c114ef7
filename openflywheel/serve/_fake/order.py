"""What POST /v1/fine_tuning/jobs asks for."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Auto = Literal["auto"]
Whole = Annotated[int, Meta(ge=1)]
Key = Annotated[str, Meta(max_length=64)]
Value = Annotated[str, Meta(max_length=512)]
Metadata = Annotated[dict[Key, Value], Meta(max_length=16)]
Factor = Annotated[float, Meta(gt=0)]


class Hyperparameters(Struct, kw_only=True):
    """Of both methods; `beta` is for dpo alone."""

    batch_size: Whole | Auto = "auto"
    learning_rate_multiplier: Factor | Auto = "auto"
    n_epochs: Whole | Auto = "auto"
    beta: Factor | Auto | msgspec.UnsetType = msgspec.UNSET


class Settings(Struct):
    hyperparameters: Hyperparameters = msgspec.field(default_factory=Hyperparameters)


class Method(Struct, kw_only=True, omit_defaults=True):
    """How to tune."""

    type: Literal["supervised", "dpo"]
    supervised: Settings | None = None
    dpo: Settings | None = None


class Order(Struct, kw_only=True):
    """A job as it was ordered; parameters that do not matter to a fake are let through."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Meta(max_length=64)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    metadata: Metadata | None = None
    method: Method = msgspec.field(default_factory=lambda: Method(type="supervised"))
    hyperparameters: Hyperparameters | None = None

    @property
    def chosen(self) -> Hyperparameters:
        """The hyperparameters, wherever they stand."""
        settings = self.method.dpo if self.method.type == "dpo" else self.method.supervised
        return settings.hyperparameters if settings else self.hyperparameters or Hyperparameters()

    def epochs(self, auto: int) -> int:
        """How often the file is read."""
        return auto if self.chosen.n_epochs == "auto" else self.chosen.n_epochs

    def batch(self, examples: int) -> int:
        """Examples of a step: for "auto" 1 % of the file."""
        return max(1, examples // 100) if self.chosen.batch_size == "auto" else self.chosen.batch_size


def told(order: Order, epochs: int) -> dict[str, Any]:
    """What a job tells of its order: the method with all of its hyperparameters."""
    chosen: dict[str, Any] = {**msgspec.to_builtins(order.chosen), "n_epochs": epochs}
    return {
        "model": order.model,
        "training_file": order.training_file,
        "validation_file": order.validation_file,
        "seed": order.seed or 0,
        "metadata": order.metadata,
        "method": {"type": order.method.type, order.method.type: {"hyperparameters": chosen}},
        "hyperparameters": {key: value for key, value in chosen.items() if key != "beta"},
        "integrations": [],
    }
