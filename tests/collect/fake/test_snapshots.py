"""Jobs, forms and deliveries of the fakes; and the datasets, which are the same every time."""

import asyncio
import csv
import io
from pathlib import Path

import msgspec

from openflywheel.collect._fake.catalogue import DATASETS
from openflywheel.collect._fake.desk import Desk, Script
from openflywheel.collect._fake.shop import PRODUCTS
from openflywheel.collect._fake.snapshots import Jobs, error_row, push, put, with_errors, written

ROWS = [{"url": f"u{n}", "text": "a,b\nc", "many": [1, 2], "none": None} for n in range(6)]


def test_a_job_sells_its_good_rows_when_it_will_be_ready() -> None:
    desk = Desk(Script(price=0.5))
    job = Jobs(desk).open("d", [*ROWS, error_row({}, "blocked", "no")], "s_")
    assert (job.sold, job.dollars, desk.dollars) == (6, 3.0, 3.0)
    assert Jobs(desk).find(job.id) is job
    assert Jobs(desk).find("s_other") is None
    assert Jobs(Desk(Script(ends="failed"))).open("d", ROWS, "s_").ends == "failed"


def test_jobs_run_until_they_were_looked_at_often_enough() -> None:
    jobs = Jobs(Desk(Script(looks=1)))
    job = jobs.open("d", ROWS, "s_")
    assert (jobs.running("d"), jobs.running("other")) == (1, 0)
    assert [job.look(), job.look()] == ["starting", "ready"]
    assert jobs.running("d") == 0


def test_error_rows_stand_among_the_others() -> None:
    mixed = with_errors(ROWS, 2)
    assert ["error_code" in row for row in mixed] == [False, True, False] * 3
    assert with_errors(ROWS, 0) == ROWS


def test_a_table_holds_what_the_rows_hold() -> None:
    body, mime = written([*ROWS, error_row({"url": "x"}, "blocked", "no")], "csv")
    table = list(csv.DictReader(io.StringIO(body.decode())))
    assert mime == "text/csv"
    assert len(table) == 7
    assert table[0]["text"] == "a,b\nc"
    assert msgspec.json.decode(table[0]["many"]) == [1, 2]
    assert table[0]["error_code"] == table[0]["none"] == ""
    assert table[6]["error_code"] == "blocked"


def test_a_delivery_stays_in_its_folder(tmp_path: Path) -> None:
    desk = Desk(Script(folder=str(tmp_path / "in")))
    assert put(desk, "../../out.json", b"{}")
    assert [p.name for p in tmp_path.rglob("*.json")] == ["out.json"]
    assert (tmp_path / "in/out.json").exists()
    assert not put(Desk(), "x", b"")


def test_a_webhook_that_is_not_there_took_nothing() -> None:
    assert not asyncio.run(push("http://127.0.0.1:9/", b"", "text/csv"))


def test_the_datasets_are_the_same_every_time_and_about_the_shop() -> None:
    names = {product.name for product in PRODUCTS}
    assert {row["product_name"] for row in DATASETS["gd_fake_reviews"].rows} == names
    assert len({row["review_id"] for row in DATASETS["gd_fake_reviews"].rows}) == 48
    assert any(row["availability"] is None for row in DATASETS["gd_fake_prices"].rows)
    assert all(set(row) == set(d.columns) for d in DATASETS.values() for row in d.rows)
