"""Several gateways, each with a folder of its own, share one journal in PostgreSQL."""

from openflywheel.base.nouns import Call, Exchange
from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.store.keys import Keys

HELLO = [{"role": "user", "content": "hello"}]


def test_what_one_gateway_answers_another_one_hears_about(gateway, server, tmp_path):
    gates = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        gates.append(gateway(folder, database=server.url("gateways")))
    here, there = gates
    said = here.openai().chat.completions.create(model="up/small", messages=HELLO, user="ann")
    there.openai().chat.completions.create(model="up/small", messages=HELLO, user="ann")
    told = there.http().post("/v1/signals", json={"exchange": said.id, "rating": True})
    assert told.status_code == 200

    store = Store.of(read(here.file))
    first, second = store.all(Exchange)
    assert first.subject == second.subject  # one key names people for both
    assert store.get(Call, [first.id])[first.id].reply == said.id
    assert [signal.value for signal in store.heard([first.id])[first.id]] == [1.0]
    store.close()


def test_a_key_that_is_made_at_one_gateway_opens_the_other(gateway, server, tmp_path, until):
    gates = []
    for name in ("third", "fourth"):
        folder = tmp_path / name
        folder.mkdir()
        gates.append(gateway(folder, name="keyed", database=server.url("gateways")))
    made = gates[0].http().post("/v1/chat/completions", json={"model": "up/small", "messages": HELLO})
    assert made.status_code == 200  # no key yet: open
    store = Store.of(read(gates[0].file))
    _, secret = Keys(store.journal).create("app", ["infer"])
    store.close()
    body = {"model": "up/small", "messages": HELLO}
    until(lambda: gates[1].http().post("/v1/chat/completions", json=body).status_code == 401)
    bearer = {"authorization": f"Bearer {secret}"}
    assert gates[1].http(headers=bearer).post("/v1/chat/completions", json=body).status_code == 200
