import lessons
import pytest

from openflywheel.base.errors import SettingsError, StoreError
from openflywheel.base.instruments import artefact
from openflywheel.customize._preference.starting import Start, started
from openflywheel.customize._tuning import checkpoint


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    lessons.able(folder / "base")
    (folder / "models").mkdir()
    return folder


def kept(folder, manifest, files=()):
    """A model as it lies in the store; nobody opens its files here."""
    contents = dict.fromkeys(files, b"{}")
    place = artefact.keep(folder / "models", {"form": "generator", **manifest}, files=contents)
    return f"models/{place.name}"


def test_a_checkpoint_is_its_own_start(shop):
    assert started("base", shop) == Start(checkpoint.found("base", shop))
    with pytest.raises(SettingsError, match="base = 'nowhere'"):
        started("nowhere", shop)


def test_an_adapter_starts_from_its_checkpoint_with_its_prompts(shop):
    said = checkpoint.found("base", shop).said
    files = ("adapter/adapter_config.json",)
    uri = kept(shop, {"base": said, "template": "{{ x }}", "instruction": "Be brief.", "task": "shop"}, files)
    assert started(uri, shop) == Start(
        checkpoint.found("base", shop),
        shop / uri / "adapter",
        {"template": "{{ x }}", "instruction": "Be brief."},
    )


def test_a_model_with_weights_of_its_own_starts_from_these(shop):
    files = {f"checkpoint/{path.name}": path for path in (shop / "base").iterdir()}
    place = artefact.keep(shop / "models", {"form": "generator"}, files=files)
    found = started(f"models/{place.name}", shop)
    assert found.base.name == f"models/{place.name}/checkpoint"
    assert found.base.sha256 == checkpoint.found("base", shop).sha256
    assert (found.adapter, found.said) == (None, {})


def test_a_model_that_writes_no_answers_is_no_start(shop):
    for manifest in ({"form": "head"}, {"labels": ["a", "b"]}):
        with pytest.raises(SettingsError, match="is a model that writes no answers; name one taught by lora"):
            started(kept(shop, manifest), shop)


def test_other_weights_than_it_was_taught_on_are_refused(shop):
    said = {**checkpoint.found("base", shop).said, "sha256": "0" * 64}
    with pytest.raises(StoreError, match="other ones than the model was taught on"):
        started(kept(shop, {"base": said}), shop)
