"""What the wheel hands to plugins and rooms."""

import pytest

from openflywheel.base import door
from openflywheel.base.door import name_of
from openflywheel.base.errors import StoreError
from openflywheel.customize._budget import Estimate


def recipe(wheel):
    return wheel.handed.to_room("curate")["recipe"]


@pytest.fixture
def recipes(desk, reopen):
    """The recipe of a curation before and after a change of the settings."""

    def changed(old, fresh):
        return recipe(reopen(desk)), recipe(reopen(desk, (old, fresh)))

    return changed


@pytest.mark.parametrize(
    ("old", "fresh"),
    [
        ("length,", "length: {least: 3},"),
        ("length, dedupe", "dedupe, length"),
        ("length, ", ""),
        ("curate: [normalise, redact, length, dedupe]\n", ""),
    ],
)
def test_other_steps_settings_or_order_are_another_recipe(old, fresh, recipes):
    before, after = recipes(old, fresh)
    assert before != after


@pytest.mark.parametrize(("old", "fresh"), [("name: desk", "name: shelf"), ("redact,", "redact: {},")])
def test_what_does_not_touch_curation_is_the_same_recipe(old, fresh, recipes):
    before, after = recipes(old, fresh)
    assert before == after


def test_a_candidate_needs_every_metric_and_every_guard_the_metrics_first(desk, reopen):
    wheel = reopen(desk, ("{pii: {}, secrets: {}}", "{secrets: {}, pii: {}}"))
    assert wheel.handed.to_room("serve")["checks"] == {"route": ("accuracy", "guard.secrets", "guard.pii")}
    without = reopen(desk, ("evaluate: {accuracy: {}}\n", ""))
    assert without.handed.checks() == {"route": ("guard.secrets", "guard.pii")}


def test_a_candidate_needs_the_metrics_of_its_kind_alone(desk, reopen):
    wheel = reopen(
        desk,
        ("tasks: {", "tasks: {price: {kind: number}, "),
        ("evaluate: {accuracy: {}}", "evaluate: {accuracy: {}, absolute_error: {}}"),
    )
    checks = wheel.handed.checks()
    assert checks["route"][0] == "accuracy"
    assert checks["price"][0] == "absolute_error"
    assert {names[1:] for names in checks.values()} == {("guard.pii", "guard.secrets")}


@pytest.mark.parametrize(
    ("estimate", "starts"),
    [
        ({"cpu_seconds": 60.0, "dollars": 2.0}, True),
        ({"cpu_seconds": 60.1}, False),
        ({"gpu_seconds": 60.1}, False),
        ({"dollars": 2.1}, False),
    ],
)
def test_training_above_the_budget_starts_only_when_somebody_agrees(desk, reopen, estimate, starts):
    budget = "wheel: {budget: {training: 60, training_dollars: 2}, holdout"
    handed = reopen(desk, ("wheel: {holdout", budget)).handed
    asked = []
    assert handed.allow("hosted", Estimate(**estimate)) is starts
    handed.agree = lambda trainer, found: asked.append((trainer, found)) or True
    assert handed.allow("hosted", Estimate(**estimate)) is True
    assert asked == ([] if starts else [("hosted", Estimate(**estimate))])


def test_only_the_rooms_that_need_more_get_more(wheel):
    given = {room: set(wheel.handed.to_room(room)) for room in door.ROOMS}
    assert {room: names for room, names in given.items() if names} == {
        "collect": {"budget", "progress"},
        "curate": {"engine", "kinds", "opener", "recipe", "workspace"},
        "customize": {"allow", "artefacts", "kinds", "workspace"},
        "evaluate": {"kinds", "predict"},
        "serve": {"checks", "errors", "scores"},
        "signals": {"judge"},
    }


def test_plugins_are_bound_in_the_order_of_the_settings(wheel):
    names = {room: [name_of(p) for p in plugins] for room, plugins in wheel.plugins.items()}
    assert names["curate"] == ["normalise", "redact", "length", "dedupe"]
    assert names["study"] == ["taught", "active", "audit"]
    assert list(names) == list(door.ROOMS)


def test_all_that_can_be_asked_for_is_handed_in(desk, install, reopen):
    names = sorted(door.HANDED_IN.keys() - {"state"})  # collect's own
    wanted = ", ".join(names)
    install("signals", "greedy", f"def greedy(episode, *, {wanted}):\n    return [{wanted}]\n")
    (greedy, _) = reopen(desk, ("{uncertainty: {}, rephrase", "{greedy: {}, rephrase")).plugins["signals"]
    given = dict(zip(names, greedy(None), strict=True))
    assert given["folder"] == desk
    assert given["holdout"] == 0.2
    assert given["seed"] == 0
    assert given["cluster"] is None
    assert given["detect"]("write to ann@example.com")[0] == "write to <email>"
    assert given["artefacts"] == desk / "wheel" / "models"
    assert given["workspace"] == desk / "wheel" / "signals"
    assert given["subject"]("ann") == given["subject"]("ann") != "ann"
    assert all(isinstance(text, str) for text in given["known"]())
    assert set(given["tasks"]) == {"route"}


def test_any_stored_model_predicts_without_a_threshold(wheel):
    model = wheel.champion("route")
    assert wheel.ask("route", "who are you").output == ""
    assert wheel.handed.predict(model, ["who are you"])[0] in ("login", "parcel", "refund")
    assert wheel.handed.predict(model, ["where is my parcel", "refund me now"]) == ["parcel", "refund"]
    assert wheel.handed.predict(model, []) == []


def test_a_model_whose_files_are_gone_is_an_error(desk, wheel):
    for file in (desk / "wheel" / "models").glob("*/*"):
        file.unlink()
    with pytest.raises(StoreError, match="there is no model in"):
        wheel.handed.predict(wheel.champion("route"), ["where is my parcel"])
