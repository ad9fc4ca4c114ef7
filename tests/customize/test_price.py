"""Prices from sales, from rows to a model that is asked."""

import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms import opened
from openflywheel.base.forms import price as pricing
from openflywheel.base.instruments.artefact import manifest
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize.price import price

SLOPES = {"mug": -3.0, "pen": -0.4, "cup": -2.5}


def rows(n=60, seed=0, value=False, **meta):
    """Sales of three items at prices about 10; the last price of each is 10."""
    random = np.random.default_rng(seed)
    found = []
    for item, slope in SLOPES.items():
        prices = np.append(10 * np.exp(0.15 * random.normal(size=n - 1)), 10.0)
        for i, each in enumerate(prices):
            quantity = float(random.poisson(200 * (each / 10) ** slope))
            said = {"price": repr(float(each)), "item": item, **meta}
            label = repr(float(quantity * each if value else quantity))
            found.append(Row(text=f"a {item}", source="t", labels={"p": label}, meta=said, at=float(i)))
    return found


def lesson(found):
    return Lesson(Dataset(name="d", task="p", role="train", rows=(), recipe=""), found, "number")


def taught(tmp_path, found, **settings):
    model = price(lesson(found), artefacts=tmp_path, **settings)
    return model, opened(tmp_path / model.uri.rpartition("/")[2], {})


def test_each_item_moves_where_its_elasticity_says(tmp_path):
    model, prices = taught(tmp_path, rows())
    for item, slope in SLOPES.items():
        assert prices.items[item].elasticity == pytest.approx(slope, abs=0.4)
    mug, pen = (prices.suggested(item) for item in ("mug", "pen"))
    assert mug.price == prices.items["mug"].lowest < 10
    assert pen.price == prices.items["pen"].highest > 10
    assert mug.reason.startswith("lower it from 10.00")
    assert pen.reason.startswith("raise it from 10.00")
    assert (model.method, model.task, model.report["items"], model.report["priced"]) == ("price", "p", 3, 3)


def test_the_model_foretells_sales_better_than_their_mean(tmp_path):
    found = [row for row in rows(seed=3) if row.at < 59]  # the last price is then no typical one
    report = taught(tmp_path, found)[0].report
    assert report["mae"] < 0.7 * report["mae_of_mean"]
    assert report["rows"] == 177


def test_with_costs_the_best_margin_lies_inside(tmp_path):
    _, prices = taught(tmp_path, rows(cost="6.5"), objective="margin")
    said = prices.suggested("mug")  # the best is 6.5 * 3 / 2 = 9.75
    assert said.low <= 9.75 <= said.high
    assert prices.items["mug"].cost == 6.5
    assert prices.policy == pricing.Policy("margin")


def test_values_are_quantities_times_prices(tmp_path):
    counted, valued = (
        taught(tmp_path, rows(value=v), outcome=o)[1] for v, o in ((False, "quantity"), (True, "value"))
    )
    assert counted.items["mug"].elasticity == pytest.approx(valued.items["mug"].elasticity, abs=1e-6)


def test_an_item_whose_price_never_varied_keeps_it(tmp_path):
    still = [
        Row(text="jug", source="t", labels={"p": "3"}, meta={"price": "7"}, at=float(i)) for i in range(4)
    ]
    model, prices = taught(tmp_path, [*rows(), *still])
    assert prices.estimates(["jug"]).tolist() == [[7, 7, 7]]
    assert prices.reason("jug") == "kept at 7.00: not enough is known, for in 4 sales its price never varied"
    assert (model.report["items"], model.report["priced"]) == (4, 3)


def test_where_no_price_ever_varied_nothing_is_taught(tmp_path):
    still = [Row(text="jug", source="t", labels={"p": "3"}, meta={"price": "7"}) for _ in range(9)]
    with pytest.raises(
        SettingsError, match="'p': not enough is known, for no item that was sold had two prices"
    ):
        taught(tmp_path, still)


def test_rows_without_a_price_are_left_out_and_counted(tmp_path):
    bare = [Row(text="mug", source="t", labels={"p": "12"})] * 5
    model, prices = taught(tmp_path, [*rows(), *bare])
    assert model.report["ignored"] == 5
    assert prices.items == taught(tmp_path, rows())[1].items


def test_rows_of_no_weight_are_borne(tmp_path):
    silent = [
        Row(text="mug", source="t", labels={"p": "900"}, meta={"price": "20", "item": "mug"}, weight=0.0)
    ]
    with_it, without = (taught(tmp_path, found)[1].items["mug"] for found in ([*silent, *rows()], rows()))
    assert with_it.elasticity == pytest.approx(without.elasticity, abs=0.05)
    assert with_it.highest == 20


def test_the_price_now_is_the_newest_whatever_the_order_of_rows(tmp_path):
    _, prices = taught(tmp_path, rows()[::-1])
    assert {item.price for item in prices.items.values()} == {10.0}


@pytest.mark.parametrize(
    ("meta", "label", "said"),
    [
        ({"price": "0"}, "1", "price = '0'; a price is above 0"),
        ({"price": "ten"}, "1", "price = 'ten' is no number"),
        ({"price": "9"}, "-1", "p = '-1' is no number of at least 0"),
        ({"price": "9"}, "many", "p = 'many' is no number"),
        ({"price": "9", "cost": "low"}, "1", "cost = 'low' is no number"),
    ],
)
def test_what_is_no_number_is_named_with_its_row(meta, label, said, tmp_path):
    wrong = Row(text="mug", source="t", labels={"p": label}, meta=meta)
    with pytest.raises(SettingsError, match=f"row {wrong.id}: {said}"):
        taught(tmp_path, [*rows(), wrong])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"reach": 0.9}, "reach = 0.9; give a factor"),
        ({"reach": float("nan")}, "reach = nan; give a factor"),
        ({"reach": float("inf")}, "reach = inf; give a factor"),
        ({"floor": 1.0}, "floor = 1; give a share"),
        ({"floor": float("nan")}, "floor = nan; give a share"),
    ],
)
def test_settings_out_of_their_range_are_refused(settings, said, tmp_path):
    with pytest.raises(SettingsError, match=said):
        taught(tmp_path, rows(), **settings)


def test_the_same_sales_make_the_same_model(tmp_path):
    first, second = (taught(tmp_path, rows(), reach=1.1, floor=0.2)[0] for _ in range(2))
    assert (first.id, first.uri) == (second.id, second.uri)
    said = manifest(tmp_path / first.uri.rpartition("/")[2])
    assert (said["form"], said["kind"], said["policy"]["reach"]) == ("price", "number", 1.1)
