"""Trainers of a mixture and of the dense model beside it, in which the same parts learn."""

from typing import Any

from openflywheel.customize._moe.upcycling import EXPERTS, MLP, ROUTER
from openflywheel.customize._tuning.checkpoint import Opened
from openflywheel.customize._tuning.running import Plan, low_rank
from openflywheel.customize._tuning.sft import trainer


def experts(plan: Plan, base: Opened, arguments: dict[str, Any]) -> Any:
    """The router learns, and a low-rank adapter on each expert; with rank 0 the experts themselves do.

    transformers keeps the experts of a layer as one tensor, which peft adapts as a parameter.
    """
    if not plan.tuning.rank:
        return _alone(plan, base, arguments)
    parts = [f"{EXPERTS}.gate_up_proj", f"{EXPERTS}.down_proj"]
    adapter = low_rank(plan.tuning, target_modules=[], target_parameters=parts, modules_to_save=[ROUTER])
    return trainer(plan, base, arguments, adapter)


def dense(plan: Plan, base: Opened, arguments: dict[str, Any]) -> Any:
    """The MLPs learn, by a low-rank adapter; with rank 0 themselves."""
    if not plan.tuning.rank:
        return _alone(plan, base, arguments)
    return trainer(plan, base, arguments, low_rank(plan.tuning, target_modules=list(MLP)))


def _alone(plan: Plan, base: Opened, arguments: dict[str, Any]) -> Any:
    """Nothing but the MLPs learns, of a mixture its experts and routers."""
    for name, parameter in base.model.named_parameters():
        parameter.requires_grad = ".mlp." in name
    return trainer(plan, base, arguments, None)
