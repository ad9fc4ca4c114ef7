from openflywheel import collect
from openflywheel.base.nouns import Drop, Gap, Record


class Stored:
    def __init__(self, *records):
        self.records = {r.id: r for r in records}

    def get(self, kind, ids):
        return {i: self.records[i] for i in ids if i in self.records}


def test_every_gap_is_shown_to_every_source_and_what_is_stored_is_dropped_with_a_reason():
    old, new = (Record(text=t, source="s") for t in ("old", "new"))
    seen = []

    def source(gap):
        seen.append(gap.topic)
        return [old, new, new]

    gaps = [Gap(topic="a", why=""), Gap(topic="b", why="")]
    assert list(collect.run(gaps, Stored(old), [source])) == [Drop("stored already"), new]
    assert seen == ["a", "b"]
