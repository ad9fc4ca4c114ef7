from itertools import pairwise
from pathlib import Path

import pytest
from huggingface_hub import constants
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from openflywheel.base.errors import SettingsError
from openflywheel.curate._chunk.counting import counter
from openflywheel.curate._chunk.pieces import WORDS

own = counter("", Path())
text = st.text(max_size=80).map(lambda t: t.encode(errors="replace").decode())


def words(path: Path, known: int = 1) -> None:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "a": known}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(path))


def test_the_encoders_own_adds_up() -> None:
    assert own.additive
    assert own(["Hello, world", ""]).tolist() == [3, 0]


@given(text)
def test_cut_at_white_space_the_parts_have_as_many_tokens_as_the_whole(whole: str) -> None:
    ends = [0, *(m.end() for m in WORDS.finditer(whole)), len(whole)]
    parts = [whole[a:b] for a, b in pairwise(ends)]
    assert own(parts).sum() == own([whole])[0]


def test_a_file_of_ones_own_is_read_from_the_folder_without_its_truncation_and_padding(
    tmp_path: Path,
) -> None:
    words(tmp_path / "tokenizer.json")
    count = counter("tokenizer.json", tmp_path)
    assert count(["a b c d", "a"]).tolist() == [4, 1]
    assert count.additive
    assert counter("tokenizer.json", tmp_path) is count


def test_what_is_missing_or_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no .*none.json"):
        counter("none.json", tmp_path)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(SettingsError, match="broken.json is no tokenizer.json"):
        counter("broken.json", tmp_path)


def test_a_model_that_the_hub_does_not_give_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SettingsError, match="does not give the tokenizer of 'nobody/nothing'"):
        counter("nobody/nothing", tmp_path)
