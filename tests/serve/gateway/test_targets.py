"""Whom the `model` of a request means."""

import pytest

from openflywheel.base.settings import Task
from openflywheel.serve._gateway.surfaces import CHAT, MESSAGES, Refusal
from openflywheel.serve._gateway.targets import NOTHING, Directory
from openflywheel.serve._generators.held import Held
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Price, Provider
from openflywheel.serve.routes import Route, Variant

TASKS = {"route": Task(kind="label"), "answer": Task(kind="text"), "unrouted": Task(kind="text")}
SPLIT = {"a": Variant(model="up/a", weight=3), "b": Variant(model="claude/b")}
ROUTES = {"answer": Route(variants=SPLIT, fallback=("up/c",))}


def directory(teachers=None, **providers: Provider) -> Directory:
    usual = {
        "up": Provider(url="http://u/v1", models=("gpt-x", "both"), prices={"gpt-y": Price()}),
        "claude": Provider(url="http://c/v1", dialect="anthropic", models=("both",)),
    }
    upstreams = {name: Upstream(name, p) for name, p in (providers or usual).items()}
    return Directory(TASKS, ROUTES, upstreams, teachers or {})


def asked(plan) -> list[tuple[str, str]]:
    return [(target.upstream.name, target.model) for target in plan.targets]


def test_names():
    names = directory().names()
    assert names[:2] == ["flywheel/route", "flywheel/answer"]
    assert {"flywheel/answer/a", "flywheel/encoder", "up/gpt-x", "up/gpt-y", "claude/both"} <= set(names)
    assert "flywheel/unrouted" not in names


def test_a_label_task_is_ours():
    plan = directory().plan("flywheel/route", "", CHAT)
    assert (plan.own, plan.task, plan.targets) == (True, "route", ())


def test_its_teacher():
    plan = directory({"route": "claude/big"}).plan("flywheel/route", "", CHAT)
    assert plan.own
    assert asked(plan) == [("claude", "big")]


def test_a_text_task_is_drawn():
    plans = [directory().plan("flywheel/answer", f"p{i}", CHAT) for i in range(30)]
    assert {(p.variant, p.propensity) for p in plans} == {("a", 0.75), ("b", 0.25)}
    assert {tuple(asked(p)) for p in plans} == {
        (("up", "a"), ("up", "c")), (("claude", "b"), ("up", "c")),
    }  # fmt: skip


def test_a_variant_is_pinned():
    plan = directory().plan("flywheel/answer/b", "ann", CHAT)
    assert (plan.variant, plan.propensity) == ("b", 1.0)
    assert asked(plan) == [("claude", "b"), ("up", "c")]


def test_the_encoder():
    assert directory().plan("flywheel/encoder", "", CHAT).own


@pytest.mark.parametrize(
    ("model", "surface", "meant"),
    [
        ("up/any/thing", CHAT, ("up", "any/thing")),
        ("gpt-x", CHAT, ("up", "gpt-x")),
        ("gpt-y", MESSAGES, ("up", "gpt-y")),
        ("both", MESSAGES, ("up", "both")),
        ("new", CHAT, ("up", "new")),
        ("new", MESSAGES, ("claude", "new")),
        ("meta/llama", CHAT, ("up", "meta/llama")),
    ],
)
def test_a_providers_model(model, surface, meant):
    plan = directory().plan(model, "", surface)
    assert asked(plan) == [meant]
    assert (plan.task, plan.variant, plan.own) == ("", "/".join(meant), False)


def test_no_guess_between_two_providers():
    two = {name: Provider(url="http://u/v1") for name in ("one", "two")}
    with pytest.raises(Refusal, match="no model 'new'"):
        directory(**two).plan("new", "", CHAT)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("", "no model ''"),
        ("flywheel/", "no task"),
        ("flywheel/anser", "answer"),
        ("flywheel/unrouted", "no task"),
        ("flywheel/route/v1", "no task"),
        ("flywheel/answer/c", "no variant 'c'"),
    ],
)
def test_a_name_that_nobody_has(model, said):
    with pytest.raises(Refusal, match=said) as raised:
        directory().plan(model, "", CHAT)
    assert (raised.value.status, raised.value.code) == (404, "model_not_found")


def championed(held, *fallback: str):
    """The plan of a task that its champion answers."""
    up = Upstream("up", Provider(url="http://u/v1"))
    variants = {"tuned": Variant(model="flywheel/champion")}
    routes = {"answer": Route(variants=variants, fallback=fallback)}
    found = Directory(TASKS, routes, {"up": up}, {}, {"answer": held}.get)
    return found.plan("flywheel/answer", "ann", CHAT)


def test_the_champion_answers_where_it_is_loaded_and_stays_until_it_has():
    held = Held("m1", Target(Upstream("gpu", Provider(url="http://g/v1")), "m1"))
    plan = championed(held, "up/c")
    assert asked(plan) == [("gpu", "m1"), ("up", "c")]
    assert (plan.own, plan.variant, plan.held) == (False, "tuned", held)


def test_one_of_another_form_answers_at_our_own_desk():
    plan = championed(Held("m1", None), "up/c")
    assert (plan.own, plan.variant, asked(plan)) == (True, "tuned", [("up", "c")])


def test_without_one_the_fallback_answers_under_its_own_name():
    plan = championed(None, "up/c")
    assert (plan.own, plan.variant, asked(plan), plan.held) == (False, "", [("up", "c")], NOTHING)


def test_without_any_nobody_does():
    with pytest.raises(Refusal, match="no model of the task 'answer' is loaded") as refused:
        championed(None)
    assert (refused.value.status, refused.value.headers) == (503, {"retry-after": "1"})


def test_a_providers_model_holds_nothing():
    assert directory().plan("up/gpt-x", "", CHAT).held is NOTHING
