"""`flywheel serve` is the whole wheel: it answers, hears, brings the lake up to date, and turns."""

import json

import pytest
from deltalake import DeltaTable

from openflywheel.base.nouns import Model, Row
from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.wheel.gateway import flusher
from openflywheel.wheel.gateway.flusher import Flushing

SEEDS = {
    "refund": ["money back please", "where is my refund", "refund me now"],
    "parcel": ["where is my parcel", "parcel not here", "track my package"],
}
LOOP = {
    "collect": {
        "files": {"path": "seeds.jsonl", "basis": "no_personal_data"},
        "traffic": {"basis": "contract"},
    },
    "curate": ["normalise", "dedupe"],
    "customize": {"head": {}},
    "evaluate": {"accuracy": {}},
    "study": {"taught": {}, "audit": {}},
    "wheel": {"turn_when": {"signals": 1, "or_after": "1d"}},
}


@pytest.mark.slow
def test_usage_turns_the_wheel(serving, tmp_path, until):
    lines = [json.dumps({"text": text, "label": label}) for label, texts in SEEDS.items() for text in texts]
    (tmp_path / "seeds.jsonl").write_text("\n".join(lines))
    gate = serving("--turns", guard=None, **LOOP)
    client = gate.openai(timeout=60)

    def answer(text):
        said = client.chat.completions.create(
            model="flywheel/route", messages=[{"role": "user", "content": text}], user="ann"
        )
        return said.id, said.choices[0].message.content

    until(lambda: answer("where is my parcel")[1] == "parcel")  # the first turn has learnt from the seeds
    id, before = answer("the voucher code does nothing")
    assert before != "voucher"
    told = gate.http().post("/v1/signals", json={"exchange": id, "label": "voucher", "source": "expert"})
    assert told.status_code == 200
    until(lambda: len(gate.kept(Model)) == 2)  # a candidate that has learnt from it
    rows = {row.text: row.labels for row in gate.kept(Row)}
    assert rows["the voucher code does nothing"] == {"route": "voucher"}


@pytest.mark.slow
def test_the_lake_follows_while_the_gateway_answers(serving, until):
    gate = serving()
    gate.openai().chat.completions.create(model="up/small", messages=[{"role": "user", "content": "hello"}])
    lake = gate.store / "lake" / "call"
    until(lambda: lake.exists() and DeltaTable(str(lake)).to_pyarrow_table().num_rows == 1)


def test_a_lake_that_cannot_be_written_is_told_and_tried_again(tmp_path, monkeypatch, caplog):
    (tmp_path / "flywheel.yaml").write_text("name: desk\nstore: wheel\ntasks: {}\n")
    store = Store.of(read(tmp_path / "flywheel.yaml", rooms=()))
    tried = []

    def flush():
        tried.append(1)
        if len(tried) == 1:
            raise OSError("no space left on device")
        return 0

    monkeypatch.setattr(store, "flush", flush)
    monkeypatch.setattr(flusher, "FLUSH_EVERY", 0.0)
    flushing = Flushing(store)
    flushing.sleep(0)
    flushing.sleep(0)
    assert len(tried) == 2
    assert "no space left" in caplog.text
    store.close()


def test_it_ends_when_nobody_needs_it(tmp_path, monkeypatch):
    (tmp_path / "flywheel.yaml").write_text("name: desk\nstore: wheel\ntasks: {}\n")
    monkeypatch.setattr(flusher, "orphaned", lambda: True)
    flusher.run(tmp_path / "flywheel.yaml")  # returns
