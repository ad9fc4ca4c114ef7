"""A provider's job beside a wheel that turns: waited for over several turns, served in the end."""

import json

import pytest

from openflywheel.base.nouns import Model, Step
from openflywheel.wheel.flywheel import Flywheel

SETTINGS = """
name: hosted
store: wheel
encoder: ngrams
tasks: {{route: {{kind: label, costs: {{call: 0.002, error: 6, person: 4}}}}}}
collect: {{files: {{path: seeds.jsonl, basis: no_personal_data}}, experts: {{}}}}
curate: [normalise, redact, length, dedupe]
customize: {{hosted: {{provider: far, base: fake-small, price: 25.0, wait: 0.0}}}}
evaluate: {{accuracy: {{}}}}
guard: {{pii: {{}}, secrets: {{}}}}
serve: {{cascade: {{}}, providers: {{far: {{url: {url}, key: sk-very-secret}}}}}}
signals: {{uncertainty: {{}}, rephrase: {{}}}}
study: {{taught: {{}}, active: {{}}, audit: {{}}}}
velocity: {{bottleneck: {{}}}}
"""
WORDS = {
    "refund": ["money back please, order %d", "where is my refund of %d"],
    "parcel": ["where is my parcel %d", "parcel %d is not here"],
}


@pytest.fixture
def path(fake, tmp_path):
    said = [(text % i, label) for label, texts in WORDS.items() for text in texts for i in range(6)]
    rows = "\n".join(json.dumps({"text": text, "label": label}) for text, label in said)
    (tmp_path / "seeds.jsonl").write_text(rows)
    (tmp_path / "flywheel.yaml").write_text(SETTINGS.format(url=fake.url))
    return tmp_path / "flywheel.yaml"


def customized(wheel) -> Step:
    """What a turn's passage through customize came to."""
    [step] = [step for step in wheel.turn() if step.room == "customize"]
    assert step.error == ""
    return step


@pytest.mark.slow
def test_turns_wait_for_the_job_and_the_model_serves(fake, path):
    fake.script({"tuning": {"running": 3600}})
    with Flywheel.open(path) as wheel:
        for took in (1, 0):
            step = customized(wheel)
            assert (step.took, step.gave, step.cost) == (took, 0, 0.0)
            assert step.dropped == {"still running at the provider": 1}
    with Flywheel.open(path) as wheel:  # another process, as far as the store knows
        fake.script({})
        step = customized(wheel)
        assert (step.gave, step.provider, step.dropped) == (1, "far", {})
        [model] = wheel.store.all(Model)
        assert step.cost == pytest.approx(fake.bill().dollars)
        assert wheel.champion("route") == model
        assert wheel.ask("route", "where is my parcel 3").output == "parcel"
        assert wheel.ask("route", "money back please, order 2").output == "refund"
        quiet = customized(wheel)
        assert (quiet.gave, quiet.cost, quiet.dropped) == (0, 0.0, {})
    trained = [cost for cost in fake.bill().models if cost.trained_tokens]
    assert [cost.trained_tokens for cost in trained] == [model.report["tokens"]]
