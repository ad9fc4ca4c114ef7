from collections import Counter

import numpy as np
import pytest

from openflywheel.base.door import describe, load
from openflywheel.base.errors import SettingsError
from openflywheel.base.forms import opened
from openflywheel.base.instruments.answers import Asked
from openflywheel.base.instruments.cumulative_gain import ndcg
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.items import is_item
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson, teaches
from openflywheel.customize._recommend.choices import Choice, by_person, choices, once
from openflywheel.customize._recommend.joining import apart
from openflywheel.customize.recommend import recommend

THEMES = ("camping tent outdoors", "lipstick beauty powder", "guitar music strings")
EACH = 12  # items of a theme; the last of each is one that nobody chose yet


def items():
    return [
        Row(text=f"{theme} {chr(97 + i) * 3}", source="t", meta={"item": f"{t}-{i}"})
        for t, theme in enumerate(THEMES)
        for i in range(EACH)
    ]


def choice(person, item, at, weight=1.0):
    return Row(text="", source="t", subject=person, labels={"next": item}, at=float(at), weight=weight)


def chosen(people=60, seed=0, count=6):
    """Everybody has one theme, and the first items of each are the popular ones."""
    random = np.random.default_rng(seed)
    likely = 1 / np.arange(1, EACH)
    return [
        choice(f"p{person}", f"{person % 3}-{item}", at)
        for person in range(people)
        for at, item in enumerate(random.choice(EACH - 1, count, replace=False, p=likely / likely.sum()))
    ]


def lesson(rows):
    dataset = Dataset(name="d", task="next", role="train", rows=(), recipe="")
    chosen, found = [row for row in rows if row.labels], [row for row in rows if is_item(row)]
    return Lesson(dataset, chosen, "rank", items=found)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model = recommend(
        lesson([*items(), *chosen()]), factors=8, encoder=NgramEncoder(), artefacts=folder, seed=0
    )
    return folder, model, opened(folder / model.uri.rpartition("/")[2], {"encoder": NgramEncoder()})


def themes(found, k=5):
    return [item.partition("-")[0] for item, _ in found[:k]]


def test_people_and_strangers_get_their_theme(taught):
    _, _, found = taught
    known = found.best([Asked(subject=f"p{person}") for person in range(6)], 5)
    assert [set(themes(one)) for one in known] == [{"0"}, {"1"}, {"2"}] * 2
    strangers = found.best([Asked(session=("0-1", "0-2")), Asked(session=("2-3",))], 5)
    assert [set(themes(one)) for one in strangers] == [{"0"}, {"2"}]


def test_it_beats_what_is_popular_on_choices_that_did_not_teach(taught):
    _, model, found = taught
    assert model.method in ("recommend.mixed", "recommend.factors", "recommend.content")
    assert model.report["ndcg@10"] > model.report["ndcg@10 popular"] + 0.1
    later = [
        (Asked(session=tuple(f"{t}-{i}" for i in (0, 3))), {f"{t}-{i}" for i in (1, 2)}) for t in range(3)
    ]
    best = found.best([asked for asked, _ in later], 10)
    assert np.mean([ndcg([i for i, _ in b], r) for b, (_, r) in zip(best, later, strict=True)]) > 0.6


def test_new_items_are_found_by_their_content(taught):
    _, _, found = taught
    (order,) = found.best([Asked(session=("1-0", "1-1", "1-2"))], 36)
    place = [item for item, _ in order].index
    assert place(f"1-{EACH - 1}") < min(place(f"0-{EACH - 1}"), place(f"2-{EACH - 1}"))
    assert place(f"1-{EACH - 1}") < 12


def test_the_model_says_what_it_was_taught_with(taught):
    folder, model, _ = taught
    assert (model.name, model.task, model.base) == ("next-recommend", "next", "ngrams-1024-v1")
    assert (model.report["items"], model.report["people"], model.report["rows"]) == (36, 60, 360)
    assert model.report["last choices"] == 60
    again = recommend(
        lesson([*items(), *chosen()]), factors=8, encoder=NgramEncoder(), artefacts=folder, seed=0
    )
    assert (again.id, again.uri) == (model.id, model.uri)


def test_with_few_people_popularity_stays_alone(tmp_path):
    rows = chosen(9)
    model = recommend(lesson([*items(), *rows]), encoder=NgramEncoder(), artefacts=tmp_path, seed=0)
    found = opened(tmp_path / model.uri.rpartition("/")[2], {"encoder": NgramEncoder()})
    assert model.method == "recommend.popular"
    assert "ndcg@10" not in model.report
    counts = Counter(row.labels["next"] for row in rows)
    order = [counts[item] for item, _ in found.best([Asked(subject="p0")], len(counts))[0]]
    assert order[:3] == sorted(counts.values(), reverse=True)[:3]


def test_where_nobody_is_known_it_counts(tmp_path):
    rows = [choice("", item, at) for at, item in enumerate(["a", "b", "b", "c", "b", "c"])]
    model = recommend(lesson(rows), encoder=NgramEncoder(), artefacts=tmp_path, seed=0)
    found = opened(tmp_path / model.uri.rpartition("/")[2], {"encoder": NgramEncoder()})
    assert [item for item, _ in found.best([Asked()], 3)[0]] == ["b", "c", "a"]


def test_what_is_weighed_down_counts_less(tmp_path):
    rows = [choice("", "bought", 0, weight=3.0), *(choice("", "seen", at, weight=0.5) for at in range(3))]
    rows.append(choice("", "bot", 9, weight=0.0))
    model = recommend(lesson([*rows]), encoder=NgramEncoder(), artefacts=tmp_path, seed=0)
    found = opened(tmp_path / model.uri.rpartition("/")[2], {"encoder": NgramEncoder()})
    assert [item for item, _ in found.best([Asked()], 9)[0]] == ["bought", "seen"]


def test_nothing_to_choose_between_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="task 'next' has 0 choices between 36 items"):
        recommend(lesson(items()), encoder=NgramEncoder(), artefacts=tmp_path, seed=0)
    with pytest.raises(SettingsError, match="task 'next' has 2 choices between 1 items"):
        rows = [choice("p", "a", 0), choice("q", "a", 1)]
        recommend(lesson(rows), encoder=NgramEncoder(), artefacts=tmp_path, seed=0)
    with pytest.raises(SettingsError, match=r"explore = 1.5: a share from 0 to 1"):
        recommend(
            lesson([*items(), *chosen(3)]), explore=1.5, encoder=NgramEncoder(), artefacts=tmp_path, seed=0
        )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"factors": 0}, "factors = 0; give 1 or more"),
        ({"factors": -3}, "factors = -3; give 1 or more"),
        ({"explore": float("nan")}, "explore = nan: a share"),
    ],
)
def test_settings_out_of_their_range_are_refused(settings, said, tmp_path):
    with pytest.raises(SettingsError, match=said):
        recommend(lesson(chosen()), encoder=NgramEncoder(), artefacts=tmp_path, seed=0, **settings)


def test_a_person_who_chooses_one_item_again_and_again_counts_once(tmp_path):
    """What is kept is taught like what was judged."""
    robot = [choice("robot", "2-10", 100 + at) for at in range(2_000)]
    plain, flooded = (
        opened(folder / model.uri.rpartition("/")[2], {"encoder": NgramEncoder()})
        for folder in [tmp_path]
        for model in (
            recommend(lesson([*items(), *chosen(), *more]), factors=4, encoder=NgramEncoder(),
                      artefacts=folder, seed=0)
            for more in (robot[:1], robot)
        )
    )  # fmt: skip
    np.testing.assert_array_equal(plain.tastes.popularity, flooded.tastes.popularity)
    np.testing.assert_array_equal(plain.tastes.factors, flooded.tastes.factors)


def test_what_unknown_people_chose_counts_each_time():
    known = [Choice("", 0, 1.0), Choice("p", 1, 1.0), Choice("", 0, 1.0), Choice("p", 1, 2.0)]
    assert once(known) == [Choice("", 0, 1.0), Choice("", 0, 1.0), Choice("p", 1, 2.0)]


def test_choices_are_read_in_order_of_time_and_an_item_counts_at_its_last_place():
    rows = [
        choice("p", "b", 2),
        choice("p", "a", 1),
        choice("p", "b", 0),
        choice("q", "c", 5),
        choice("", "a", 3),
    ]
    known = choices(lesson([*items()[:1], *rows]))
    assert known.ids == ("0-0", "b", "a", "c")
    assert known.texts == ("camping tent outdoors aaa", "", "", "")
    assert by_person(known.chosen) == {
        "p": [Choice("p", 2, 1.0), Choice("p", 1, 1.0)],
        "q": [Choice("q", 3, 1.0)],
    }


def test_the_last_choice_of_everybody_with_two_is_set_apart():
    known = choices(lesson([*items(), *chosen(4, count=3), choice("once", "0-0", 0), choice("", "0-1", 0)]))
    taught, last = apart(known)
    assert len(last) == 4
    assert len(taught) == 4 * 2 + 2
    assert [bool(one.asked.subject) for one in last] == [True, False, True, False]
    for number, one in enumerate(last):
        assert known.ids[one.item] not in one.asked.session
        assert len(one.asked.session) == 2
        assert Choice(f"p{number}", one.item, 1.0) not in taught


def test_it_comes_through_the_door_with_its_settings(tmp_path):
    handed = {"encoder": NgramEncoder(), "artefacts": tmp_path, "seed": 0}
    assert teaches(load("customize", "recommend", {"factors": 16}, handed)) == ("rank",)
    assert {s.name: s.default for s in describe("customize", "recommend").settings} == {
        "factors": 32,
        "explore": 0.05,
    }
