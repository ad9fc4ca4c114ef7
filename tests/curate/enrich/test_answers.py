import pytest

from openflywheel.curate._enrich.answers import fault
from openflywheel.curate._enrich.asking import READ, Kind, prompt

TEXT = "Returns are accepted within 30 days of delivery, if the shoes were not worn outside."
CHINESE = "商品可以在30天内退货。"


@pytest.mark.parametrize(
    ("kind", "answer", "reason"),
    [
        ("question", "Within how many days are returns accepted?", None),
        ("question", "Are worn shoes accepted for return?", None),
        ("question", "", "empty"),
        ("question", "returns " * 60, "too long"),
        ("question", "Are returns accepted within 45 days of delivery?", "figures of its own"),
        ("question", "What is the capital city of France?", "not grounded"),
        ("question", "?!", "not grounded"),
        ("question", "退货的商品在多少天内可以退货?", "not grounded"),
        ("paraphrase", TEXT.lower().replace(",", " "), "a copy"),
        ("paraphrase", "For 30 days after delivery we take back shoes, unless worn outside.", None),
        ("paraphrase", (TEXT + " ") * 4, "too long"),
        ("paraphrase", "As a language model I cannot help with this request.", "not grounded"),
    ],
)
def test_which_answers_are_kept(kind: Kind, answer: str, reason: str | None) -> None:
    assert fault(kind, answer, TEXT) == (f"synthesise: {reason}" if reason else None)


def test_scripts_without_spaces_are_compared_by_pairs_of_letters() -> None:
    assert fault("question", "商品可以在多少天内退货？", CHINESE) is None  # noqa: RUF001
    assert fault("question", "今天天气怎么样？", CHINESE) == "synthesise: not grounded"  # noqa: RUF001


def test_other_forms_of_a_word_count() -> None:
    assert fault("question", "Is returning accepted after delivering?", TEXT) is None


def test_a_prompt_shows_the_beginning_of_a_long_text() -> None:
    assert len(prompt("question", "x" * 99_999, "id", 0)) < READ + 600


def test_a_second_question_is_asked_otherwise() -> None:
    assert prompt("question", TEXT, "id", 0) != prompt("question", TEXT, "id", 1)
