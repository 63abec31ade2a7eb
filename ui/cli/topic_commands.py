"""The command that maps the library: topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ui.cli.common import AsJson, dumps, settings_of

if TYPE_CHECKING:
    from assistant.topic_map import TopicMap

app = typer.Typer()


@app.command(rich_help_panel="Papers")
def topics(
    context: typer.Context,
    filters: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER...", help="Words and filters, as in a question.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the topics of the library by its own terms, with quotations and years."""
    from assistant import factory
    from assistant.question.filters import parse_selection
    from assistant.topic_map import map_library
    from assistant.topic_map.serialization import topic_map_json

    settings = settings_of(context)
    library = factory.open_library(settings)
    selection = parse_selection(" ".join(filters or ()), library.catalog.papers.has_author)
    topic_map = map_library(library, settings.home, selection)
    typer.echo(dumps(topic_map_json(topic_map)) if as_json else topics_text(topic_map))
    library.close()


def topics_text(topic_map: TopicMap) -> str:
    """Format the topics: the number of papers, the label, the years, and a quotation of each."""
    from assistant.text.latex import to_text
    from assistant.text.printable import one_line, printable

    lines = [f"({note})" for note in topic_map.notes]
    for topic in topic_map.topics:
        years = ", ".join(f"{year}: {count}" for year, count in topic.years.items())
        lines.append(f"\n{topic.id:>4}  {len(topic.paper_ids):5} papers  {one_line(to_text(', '.join(topic.terms)))}")
        lines += [f"      {years}"] if years else []
        lines += [f"      “{one_line(to_text(quote.passage.text))}” ({quote.paper.id})" for quote in topic.quotes]
    return printable("\n".join(lines)).lstrip("\n")
