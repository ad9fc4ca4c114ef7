"""A prompt to a configured model."""

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.serve.providers import Provider
from openflywheel.wheel.asking import AskFailed, ask


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_model_answers(fake, dialect):
    providers = {"far": Provider(url=fake.url, dialect=dialect)}
    assert ask("say hello", model="far/m", providers=providers)


def test_what_a_provider_refuses_is_told(fake):
    providers = {"far": Provider(url=f"{fake.url}/nowhere")}
    with pytest.raises(AskFailed, match="the provider far gave no answer: status 404"):
        ask("hello", model="far/m", providers=providers)


def test_a_provider_that_there_is_not():
    with pytest.raises(SettingsError, match=r"model 'fra/m': did you mean 'far'\?.*flywheel providers"):
        ask("hello", model="fra/m", providers={"far": Provider(url="http://127.0.0.1:1/v1")})


def test_a_provider_that_does_not_answer():
    with pytest.raises(AskFailed, match="the provider far gave no answer: .*flywheel providers"):
        ask("hello", model="far/m", providers={"far": Provider(url="http://127.0.0.1:1/v1", connect=1.0)})
