"""Steps, stages, and what a process opens."""

from engine_samples import alike, lower, same, short

from openflywheel.curate._engine.step import Plan, Stage, Step, stages

LOWER, SHORT, SAME, ALIKE = (
    Step("lower", lower),
    Step("short", short),
    Step("same", same()),
    Step("alike", alike()),
)


def test_stages_end_where_a_batch_step_follows_a_whole_one():
    assert stages([LOWER, SHORT, SAME, ALIKE, LOWER, SAME, SHORT]) == [
        Stage((LOWER, SHORT), (SAME, ALIKE)), Stage((LOWER,), (SAME,)), Stage((SHORT,), ()),
    ]  # fmt: skip


def test_there_is_always_a_stage():
    assert stages([]) == [Stage()]
    assert stages([SAME]) == [Stage((), (SAME,))]
    assert stages([LOWER]) == [Stage((LOWER,), ())]


def test_wholes_of_a_stage():
    stage = Stage((LOWER,), (SAME, ALIKE))
    assert stage.wholes == (SAME.does, ALIKE.does)


def test_steps_are_opened_once_in_a_process_for_each_run():
    opened = []

    def opener() -> list[Step]:
        opened.append(1)
        return [LOWER]

    one, other = Plan("one", opener), Plan("other", opener)
    assert one.stages() is one.stages()
    assert len(opened) == 1
    other.stages()
    assert len(opened) == 2
    other.close()
    other.close()
    other.stages()
    assert len(opened) == 3
    other.close()
