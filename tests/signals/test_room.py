from openflywheel import signals
from openflywheel.base.nouns import Exchange, Signal


class Heard:
    def __init__(self, said):
        self.said = said

    def heard(self, ids):
        return {i: self.said[i] for i in ids if i in self.said}


def test_exchanges_are_grouped_by_conversation_in_order_of_time():
    late = Exchange(episode="one", task="t", input="b", output="", variant="m", at=2.0)
    early = Exchange(episode="one", task="t", input="a", output="", variant="m", at=1.0)
    other = Exchange(episode="two", task="t", input="c", output="", variant="m", at=3.0)
    rating = Signal(exchange=late.id, kind="rating", value=1.0, source="user", explicit=True)
    episodes = []

    def listener(episode):
        episodes.append(episode)
        return []

    list(signals.run([late, early, other], Heard({late.id: [rating]}), [listener]))
    assert [[e.input for e in ep.exchanges] for ep in episodes] == [["a", "b"], ["c"]]
    assert episodes[0].heard == {late.id: [rating]}
