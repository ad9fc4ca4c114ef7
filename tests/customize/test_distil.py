from functools import partial

import numpy as np
import pytest
from msgspec import structs

from openflywheel.base import door, forms
from openflywheel.base.errors import SettingsError, UnknownPlugin, UnknownSetting
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Labelling
from openflywheel.base.instruments.calibration import fit_sharpness
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Dataset, Exchange, Row, Signal
from openflywheel.customize import Lesson, teaches
from openflywheel.customize.distil import distil, estimate
from openflywheel.customize.scratch import estimate as estimate_scratch
from openflywheel.serve.providers import Price, Provider
from openflywheel.store import Store
from openflywheel.wheel.asking import ask

WORDS = {
    "refund": "i want my money back {} please return it",
    "parcel": "where is my parcel {} it is late",
    "login": "my password {} does not log in",
    "card": "my bank card {} was declined at the shop",
}


def rows(start, number, by, wrong=(), teacher=False):
    """Rows of each label; a teacher calls the labels of `wrong` "login"."""
    made = []
    for n in range(start, start + number):
        for name, words in WORDS.items():
            said = "login" if name in wrong else name
            label = said if by == "model" else name
            meta = {"teacher": said} if teacher else {}
            made.append(
                Row(
                    text=words.format(f"order {n}"),
                    source="t",
                    labels={"route": label},
                    labelled_by=by,
                    meta=meta,
                )
            )
    return made


def lesson(taught, validation=()):
    dataset = Dataset(name="d", task="route", role="train", rows=tuple(r.id for r in taught), recipe="")
    return Lesson(dataset, taught, "label", validation)


def nobody(prompt, /, *, model):
    raise AssertionError("no model is asked")


def taught(tmp_path, given, exchanges=(), signals=(), **settings):
    [model] = things(tmp_path, given, exchanges, signals, **settings)
    return model


def foreseen(tmp_path, given, **settings):
    handed = {
        "encoder": NgramEncoder(), "workspace": tmp_path / "work", "artefacts": tmp_path / "models",
        "exchanges": dict, "heard": dict, "ask": nobody, "providers": {}, "folder": tmp_path, "tasks": {},
        "seed": 0, "progress": print,
    }  # fmt: skip
    return estimate(given, **{**handed, **settings})


def things(tmp_path, given, exchanges=(), signals=(), **settings):
    for name in ("models", "work"):
        (tmp_path / name).mkdir(exist_ok=True)
    heard = {}
    for signal in signals:
        heard.setdefault(signal.exchange, []).append(signal)
    return distil(
        given, encoder=NgramEncoder(), artefacts=tmp_path / "models", workspace=tmp_path / "work",
        exchanges=lambda ids: {e.id: e for e in exchanges if e.id in ids}, heard=lambda ids: heard,
        folder=tmp_path, tasks={}, seed=0, progress=lambda facts: None,
        **{"ask": nobody, "providers": {}, **settings},
    )  # fmt: skip


def said(tmp_path, model, texts):
    return Head.read(tmp_path / model.uri).predict(NgramEncoder().encode(texts))


ASKED = [text.format("order 999") for text in WORDS.values()]


def test_a_student_learns_what_people_bear_out_and_is_judged_by_people(tmp_path):
    given = lesson([*rows(0, 8, "expert", ["card"], teacher=True), *rows(100, 40, "model", ["card"])],
                   rows(500, 10, "expert", ["card"], teacher=True))  # fmt: skip
    model = taught(tmp_path, given)
    assert said(tmp_path, model, ASKED) == list(WORDS)
    report = model.report
    assert (report["accuracy"], report["judged"]) == (1, 40)
    assert report["accuracy_low"] < 1 == report["accuracy_high"]
    assert report["missing"] == 27
    assert report["teacher_right"] == pytest.approx(25 / 34)
    assert (report["people"], report["checked"]) == (32, 32)
    assert report["agreement"] < 0.9
    assert report["gap"] == pytest.approx(-0.25)
    assert report["sorted_anew"] > 25
    assert (model.name, model.method) == ("route-distil", f"distil.head.{model.method.split('.')[-1]}")


def test_agreement_is_no_accuracy(tmp_path):
    wrong = rows(100, 40, "model", ["card"])
    given = lesson([*rows(0, 2, "expert"), *wrong], rows(500, 10, "expert", ["card"], teacher=True))
    trusting = [Row(text=r.text, source="t", labels=r.labels, labelled_by="user") for r in wrong]
    model = taught(tmp_path, lesson([*trusting, *rows(0, 2, "model", ["card"])], given.validation))
    assert model.report["accuracy"] == pytest.approx(0.75)
    assert model.report["gap"] == pytest.approx(0.25)


def asked(start, number, subjects, by, wrong=()):
    """Rows of each label, of so many people in turn."""
    made = rows(start, number, by, wrong, teacher=True)
    return [structs.replace(row, subject=f"p{n % subjects}") for n, row in enumerate(made)]


def test_who_judges_teaches_nothing_neither_by_what_the_teacher_said(tmp_path):
    model = taught(tmp_path, lesson([*asked(0, 40, 40, "expert"), *asked(100, 40, 40, "model")]))
    judged = model.report["judged"]
    assert judged >= 30
    assert model.report["people"] == 160 - judged
    assert model.report["teacher"] <= 160 - judged


def test_one_person_alone_teaches_and_judges_with_other_rows(tmp_path):
    model = taught(tmp_path, lesson([*asked(0, 40, 1, "expert"), *asked(100, 40, 1, "model")]))
    assert 30 <= model.report["judged"] <= 60
    assert model.report["people"] == 160 - model.report["judged"]
    assert model.report["teacher"] > 120


def sure(place, texts):
    """Mean confidence of the model in a folder."""
    answers = forms.opened(place, {"encoder": NgramEncoder()})
    return answers.probabilities(texts).max(axis=1).mean()


def one_sided(validation):
    """People bear the teacher out where it taught, and say something else on 2 of 5 rows that judge."""
    names = list(WORDS)
    wrong = [
        structs.replace(row, labels={"route": names[(n + (n // 4 % 5 < 2)) % 4]})
        for n, row in enumerate(rows(500, validation, "expert"))
    ]
    return lesson([*rows(0, 8, "expert", teacher=True), *rows(100, 40, "model")], wrong)


@pytest.mark.parametrize("using", [{}, {"prior": "traffic"}, {"levels": True}, {"many": True}])
def test_confidence_is_how_often_people_say_so_and_not_agreement(tmp_path, using):
    given = one_sided(15)
    model = taught(tmp_path, given, using=using)
    report = model.report
    assert report["accuracy"] == pytest.approx(0.6)
    assert report["agreement"] == 1
    assert report["calibrated_by_people"] == 60
    assert "calibrated_by_student" not in report
    texts = [row.text for row in given.validation]
    assert sure(tmp_path / model.uri, texts) == pytest.approx(report["accuracy"], abs=0.06)


def test_the_confidence_of_a_language_model_is_fitted_anew_as_well(tmp_path):
    small = {"width": 32, "layers": 1, "heads": 2, "vocabulary": 400, "batch": 8, "rate": 5e-3, "epochs": 3}
    given = one_sided(15)
    model = taught(tmp_path, given, student="scratch", using=small)
    assert model.report["calibrated_by_people"] == 60
    answers = forms.opened(tmp_path / model.uri, {"folder": tmp_path})
    texts = [row.text for row in given.validation]
    chances, scores = answers.probabilities(texts), answers.log_probabilities(texts)
    assert artefact.manifest(tmp_path / model.uri)["sharpness"] == answers.sharpness
    right = np.array([answers.labels.index(row.labels["route"]) for row in given.validation])
    assert fit_sharpness(scores, right)[0] == pytest.approx(answers.sharpness, rel=0.05)
    assert chances.max(axis=1).mean() == pytest.approx(model.report["accuracy"], abs=0.1)


def test_with_few_people_confidence_stays_the_students_and_is_said_to_be(tmp_path):
    report = taught(tmp_path, one_sided(1)).report
    assert report["calibrated_by_student"] == report["people"] + report["teacher"]
    assert not {"calibrated_by_people", "ece", "log_loss"} & set(report)


def test_a_label_that_was_not_taught_counts_as_wrong_and_fits_no_temperature(tmp_path):
    given = one_sided(10)
    strange = [structs.replace(row, labels={"route": "new"}) for row in rows(700, 2, "expert")]
    plain, more = (
        taught(tmp_path, lesson(given.rows, [*given.validation, *others])).report for others in ([], strange)
    )
    assert plain["calibrated_by_people"] == more["calibrated_by_people"] == 40
    assert more["log_loss"] == pytest.approx(plain["log_loss"])
    assert more["accuracy"] == pytest.approx(plain["accuracy"] * 40 / 48)


def test_the_card_tells_peoples_figures_alone(tmp_path):
    model = taught(tmp_path, lesson([*rows(0, 8, "expert", teacher=True), *rows(100, 8, "model")]))
    place = tmp_path / model.uri
    manifest = artefact.manifest(place)
    assert manifest["report"] == model.report
    assert manifest["method"] == model.method
    assert not {"ece", "log_loss"} & set(model.report)
    assert "| judged |" in (place / "README.md").read_text()
    assert [p.name for p in (tmp_path / "models").iterdir()] == [place.name]


def test_with_too_few_people_it_says_how_many_are_missing(tmp_path):
    model = taught(tmp_path, lesson([*rows(0, 8, "expert", teacher=True), *rows(100, 8, "model")]))
    assert "accuracy" not in model.report
    assert 0 < model.report["judged"] < 30
    assert model.report["missing"] + model.report["judged"] > 70


def test_rows_that_judge_teach_nothing(tmp_path):
    people = rows(0, 40, "expert", teacher=True)
    model = taught(tmp_path, lesson(people))
    assert model.report["people"] + model.report["judged"] == len(people)
    assert model.report["judged"] >= 30
    assert model.report["rows"] == model.report["people"]


def test_what_the_teacher_said_to_a_row_that_judges_teaches_nothing(tmp_path):
    validation = rows(500, 10, "expert")
    heard = [Row(text=r.text.upper(), source="t", labels=r.labels, labelled_by="model") for r in validation]
    model = taught(tmp_path, lesson([*rows(0, 8, "expert", teacher=True), *heard], validation))
    assert (model.report["people"], model.report["teacher"], model.report["judged"]) == (32, 0, 40)


def test_without_people_nothing_is_taught(tmp_path):
    with pytest.raises(SettingsError, match="'route' has no row that a person labelled.*flywheel experts"):
        taught(tmp_path, lesson(rows(0, 8, "model")))


def test_a_teacher_that_nobody_checked_does_not_teach(tmp_path):
    model = taught(tmp_path, lesson([*rows(0, 8, "expert"), *rows(100, 40, "model")]))
    assert (model.report["teacher"], model.report["checked"]) == (0, 0)
    assert model.report["distrusted"] > 100
    assert "teacher_right" not in model.report


def test_feedback_rejects_rows_and_people_overrule_them(tmp_path):
    exchange = Exchange(episode="e", task="route", input="x", output="refund", variant="big/model")
    teachers = [
        Row(text=f"{WORDS['refund'].format(n)}", source="t", labels={"route": "refund"}, labelled_by="model",
            uri=f"exchange:{exchange.id}" if n == 0 else "", meta={"thumb": "down"} if n == 1 else {})
        for n in range(5)
    ]  # fmt: skip
    bad = Signal(exchange=exchange.id, kind="thumb", value=-1.0, source="user", explicit=True)
    people = rows(0, 8, "expert", teacher=True)
    same = Row(text=f" {people[0].text.upper()} ", source="t", labels={"route": "login"}, labelled_by="model")
    model = taught(tmp_path, lesson([*people, *teachers, same]), [exchange], [bad])
    assert (model.report["rejected"], model.report["overruled"]) == (2, 1)


def test_exchanges_and_feedback_come_from_the_store(tmp_path):
    store = Store(tmp_path / "store")
    asked = [
        Exchange(
            episode="e", task="route", input=WORDS["card"].format(n), output="login", variant="big/model"
        )
        for n in range(12)
    ]
    bad = Signal(exchange=asked[10].id, kind="thumb", value=-1.0, source="user", explicit=True)
    store.append([*asked, bad])
    people = [
        Row(
            text=e.input,
            source="traffic",
            labels={"route": "card"},
            labelled_by="user",
            uri=f"exchange:{e.id}",
        )
        for e in asked[:8]
    ]
    teacher = [
        Row(
            text=e.input,
            source="traffic",
            labels={"route": "login"},
            labelled_by="model",
            uri=f"exchange:{e.id}",
        )
        for e in asked[8:]
    ]
    given = lesson([*rows(0, 8, "expert", teacher=True), *people, *teacher], rows(500, 10, "expert"))
    (tmp_path / "work").mkdir()
    [model] = distil(
        given, encoder=NgramEncoder(), artefacts=store.artefacts, workspace=tmp_path / "work", seed=0,
        exchanges=partial(store.get, Exchange), heard=store.heard, ask=nobody, folder=tmp_path, tasks={},
        teacher="big/model", providers={}, progress=lambda facts: None,
    )  # fmt: skip
    store.close()
    assert (model.report["checked"], model.report["rejected"]) == (40, 1)
    opened = forms.opened(store.path / model.uri, {"encoder": NgramEncoder()})
    assert isinstance(opened, Labelling)
    best = opened.probabilities([WORDS["card"].format("x")]).argmax()
    assert opened.labels[best] == "card"


def test_the_student_is_any_trainer_with_its_settings(tmp_path):
    given = lesson(rows(0, 8, "expert"))
    with pytest.raises(UnknownSetting, match="head has no setting 'rank'"):
        taught(tmp_path, given, using={"rank": 4})
    with pytest.raises(UnknownPlugin, match="customize has no plugin 'haed'"):
        taught(tmp_path, given, student="haed")
    for name in ("distil", "hosted", "recommend"):
        with pytest.raises(SettingsError, match=f"student '{name}' cannot be taught here; choose head, enc"):
            taught(tmp_path, given, student=name)
    assert list((tmp_path / "models").iterdir()) == []


def test_what_it_will_take_is_what_its_student_will(tmp_path):
    given = lesson(rows(0, 8, "expert"))
    using = {"width": 128, "epochs": 7}
    told = foreseen(tmp_path, given, student="scratch", using=using)
    assert told == estimate_scratch(given, **using)
    assert told.cpu_seconds > 0
    assert foreseen(tmp_path, given) is None  # a head takes too little to be told
    with pytest.raises(SettingsError, match="student 'hosted' cannot be taught here"):
        foreseen(tmp_path, given, student="hosted", using={"provider": "x", "base": "y", "price": 1.0})


def test_what_its_student_pays_is_foreseen_and_paid(tmp_path, fake):
    fake.script({"rules": [{"answer": "login"}]})
    providers = {"fake": Provider(url=fake.url, prices={"small": Price(input=2.0)})}
    given, using = lesson(rows(0, 12, "expert")), {"model": "fake/small", "demonstrations": 0, "calls": 20}
    handed = {"providers": providers, "ask": partial(ask, providers=providers)}
    told = foreseen(tmp_path, given, student="prompt", using=using, **handed)
    paid, model = things(tmp_path, given, student="prompt", using=using, **handed)
    assert 0 < paid.dollars < told.dollars * 1.05
    assert (paid.provider, model.method) == ("fake", "distil.prompt")
    assert paid.run


def test_the_same_lesson_makes_the_same_student(tmp_path):
    given = lesson([*rows(0, 10, "expert", teacher=True), *rows(100, 10, "model")])
    first, second = taught(tmp_path, given), taught(tmp_path, given)
    assert (first.id, first.uri) == (second.id, second.uri)


def test_it_is_a_plugin_of_labels():
    assert teaches(distil) == ("label",)
    about = door.describe("customize", "distil")
    assert [s.name for s in about.settings] == ["student", "using", "teacher", "most", "least_right"]
    assert door.check("customize", "distil", {"using": {"rank": 4}})["using"] == {"rank": 4}
