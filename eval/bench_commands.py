"""The commands whose figures are printed and not stored as a run: bench, agent, watch, scale, growth."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from eval.command_line import AsJson, print_figures, settings_of

app = typer.Typer()


@app.command()
def bench(
    large: Annotated[
        bool, typer.Option("--large", help="Measure 80,753 papers too; the first time takes hours.")
    ] = False,
    sizes: Annotated[
        list[int] | None, typer.Option(help="Measure only the library of 278, 5183 or 80753 papers; may be repeated.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Measure only searches, which takes a few minutes.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Measure only what starts: commands, the page.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the speed next to the plain llama-index pipeline, and components next to their alternatives."""
    from eval.bench import speed

    chosen = [*(sizes or speed.SIZES[: 1 if start else None]), *([speed.LARGEST] if large else [])]
    measure = speed.measure_starts if start else partial(speed.measure_speed, quick=quick)
    print_figures(measure(settings_of(), chosen), as_json)


@app.command()
def agent(
    questions: Annotated[int, typer.Option(min=1, help="Questions of the dev split over the seeds.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Let a script ask, quote and verify as an assistant does, through MCP alone, and measure it."""
    from eval.agent import measure_agent

    print_figures(measure_agent(settings_of(), questions), as_json)


@app.command()
def watch(
    data: Annotated[Path, typer.Option(help="Folder of the data, which has judge/ and ml_arxiv_2019/.")],
    split: Annotated[str, typer.Option(help="Part of the annotated abstracts: dev or test.")] = "dev",
    as_json: AsJson = False,
) -> None:
    """Keep answers over papers up to 2017, add those of 2018 and 2019, and measure what is announced; takes minutes."""
    from eval.watch import measure_watch

    print_figures(measure_watch(settings_of(), data, split), as_json)


@app.command()
def scale(
    large: Annotated[bool, typer.Option("--large", help="Measure 80,753 papers too; takes minutes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the cost of each part of a library as it grows; a Chroma server of the settings is measured too."""
    from eval.bench.scale import measure_scale

    print_figures(measure_scale(settings_of(), large), as_json)


@app.command()
def growth(
    folder: Annotated[Path, typer.Option(help="New folder for the indexes and growth.json; takes 25 KB a paper.")],
    size: Annotated[list[int] | None, typer.Option(min=1, help="Number of papers; repeatable, ascending.")] = None,
    shards: Annotated[list[int] | None, typer.Option(min=1, help="Shards of a store on Chroma; repeatable.")] = None,
    local: Annotated[bool, typer.Option(help="Measure the lexicon and the word index too.")] = True,
    as_json: AsJson = False,
) -> None:
    """Measure how the indexes grow to millions of papers: real abstracts (EVAL_DATA) with noise; takes hours."""
    from eval.bench.growth import measure_growth

    sizes, counts = size or [10_000, 40_000, 160_000, 640_000, 1_000_000], shards or [1, 4]
    print_figures(measure_growth(settings_of(), sizes, counts, folder, local), as_json)
