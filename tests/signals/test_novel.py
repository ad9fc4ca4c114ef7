from openflywheel.signals import Episode
from openflywheel.signals._past import Past
from openflywheel.signals.novel import novel


def marks(new, earlier, encoder, **settings):
    past = Past(lambda: [*earlier, new])
    return [s.exchange for s in novel(Episode((new,), {}, past=past), encoder=encoder, **settings)]


def test_what_is_like_nothing_before_is_marked(asked, encoder):
    earlier = [asked(f"parcel {i}", at=i) for i in range(3)]
    strange = asked("zebra", at=9)
    assert marks(strange, earlier, encoder, least=3) == [strange.id]
    assert marks(asked("parcel again", at=9), earlier, encoder, least=3) == []


def test_a_mark_says_nothing_of_the_answer(asked, encoder):
    past = Past(lambda: [asked("parcel", at=0)])
    (signal,) = novel(Episode((asked("zebra", at=9),), {}, past=past), least=1, encoder=encoder)
    assert (signal.kind, signal.value, signal.source, signal.explicit) == ("novel", 0.0, "model", False)


def test_only_the_first_of_a_new_topic_is_new(asked, encoder):
    parcels = [asked("parcel", at=i) for i in range(3)]
    first, second = asked("zebra one", at=8), asked("zebra two", at=9)
    assert marks(first, [*parcels, second], encoder, least=3) == [first.id]
    assert marks(second, [*parcels, first], encoder, least=3) == []


def test_few_exchanges_or_those_of_another_task_tell_nothing(asked, encoder):
    others = [asked("parcel", at=i, task="tone") for i in range(5)]
    assert marks(asked("zebra", at=9), others, encoder, least=1) == []
    assert marks(asked("zebra", at=9), [asked("parcel", at=0)], encoder, least=2) == []
    assert marks(asked("", at=9), [asked("parcel", at=0)], encoder, least=0) == []
    assert marks(asked("zebra", at=9), [], encoder, least=0) == []
