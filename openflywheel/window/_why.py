"""Why a model serves: its provenance as a tree."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
from rich.console import RenderableType
from rich.tree import Tree

from openflywheel.base.nouns import Gap, Signal, Verdict
from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.wheel.provenance import Lineage, Origin, Trace, resolve, trace
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import ago, interval, plural, quoted, shares, short
from openflywheel.window._sureness import sureness

WORDS = {"yes": "promoted", "no": "refused", "inconclusive": "not promoted: inconclusive"}


def _show(found: Trace) -> Iterator[RenderableType]:
    model = found.model
    serves = f"serves the task {model.task}" if found.serves else f"does not serve the task {model.task}"
    tree = Tree(f"{model.name} {short(model.id)} {serves}")
    tree.add(f"taught {ago(model.at)} by {model.method} on {model.base}")
    for verdict in found.decisions:
        against = f" over {short(verdict.against)}" if verdict.against else ""
        tree.add(f"{WORDS[verdict.passed]} {ago(verdict.at)}{against}: {verdict.reason or 'no reason given'}")
    checks = tree.add(plural(len(found.checks), "check"))
    for verdict in found.checks:
        checks.add(_check(verdict))
    for title, lineages in (("taught by", found.taught_by), ("judged on", found.judged_on)):
        for lineage in lineages:
            _hang(tree, title, lineage)
    if found.quarantined:
        tree.add(f"quarantined, so they do not count: {shares(found.quarantined)} (flywheel signals)")
    yield tree


def _check(verdict: Verdict) -> str:
    score = "" if verdict.score is None else f" {verdict.score:.3g}"
    between = interval(verdict.low, verdict.high)
    figures = f"{score}{f' ({between})' if between else ''}, n = {verdict.n:,}"
    return f"{verdict.check}: {verdict.passed}{figures}{f': {verdict.reason}' if verdict.reason else ''}"


def _hang(tree: Tree, title: str, lineage: Lineage) -> None:
    """A dataset, and the rows that are followed back."""
    dataset = lineage.dataset
    branch = tree.add(
        f"{title} {dataset.name} {short(dataset.id)}: {plural(lineage.size, 'row')} ({dataset.role}); "
        f"labelled by {shares(lineage.labelled_by)}; from {shares(lineage.sources)}"
    )
    for origin in lineage.samples:
        _follow(branch, origin, dataset.task)


def _follow(branch: Tree, origin: Origin, task: str) -> None:
    row, exchange = origin.row, origin.exchange
    said_by = f"{row.labelled_by}, {row.source} {row.uri}".strip()
    leaf = branch.add(f"{quoted(row.text)} is {row.labels.get(task, '')} ({said_by})")
    if exchange:
        said = exchange.output or "handed to a person"
        sure = f" ({told})" if (told := sureness(exchange)) else ""
        leaf.add(f"exchange {exchange.id}, {ago(exchange.at)}: {said}{sure}")
    for signal in origin.signals:
        leaf.add(_signal(signal))
    for gap in origin.gaps:
        leaf.add(_gap(gap))


def _signal(signal: Signal) -> str:
    right = f", right is {signal.correction}" if signal.correction else ""
    comment = f": {quoted(signal.comment)}" if signal.comment else ""
    return f"signal {signal.kind} by {signal.source}: {signal.value:+.2g}{right}{comment}"


def _gap(gap: Gap) -> str:
    return f"gap {short(gap.id)}: {gap.why}"


@command("why", show=_show)
@click.argument("model")
@file_option
def why(file: Path, model: str) -> Trace:
    """Show why a model serves, back to what people said.

    MODEL is an id, the beginning of one, or a task: then it is the task's champion.
    """
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return trace(store, resolve(store, model))


COMMANDS = {"why": why}
