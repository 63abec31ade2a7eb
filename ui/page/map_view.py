"""Render the map of the library: its papers as points, its topics with terms and quotations, and their years.

What is drawn is chosen by a click, and everything that a click on a point can do is done by a button, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.text.latex import to_text
from assistant.topic_map import MapPoint, Topic, TopicMap
from assistant.topic_map.topics import TopicQuote
from ui.cli.terminal import counted
from ui.page import render
from ui.page.turns import attribute, button, line_html

# The room around the points, in percent of the drawing.
_MARGIN = 6
# How near to another name one is left out, of the width and height of the drawing, which are 2.
_NAME_WIDTH, _NAME_HEIGHT = 0.35, 0.1
# Hues that are told apart; more topics share them.
_HUES = 12
# Topics that are named on the drawing, and on that of a narrow screen.
_NAMED, _NAMED_NARROW = 14, 5
# The newest years that have a bar, and the largest topics that have a part of it of their own.
_MAX_YEARS, _PARTS = 40, 12


@dataclass(frozen=True, slots=True)
class MapChoice:
    """What of the map is chosen: a topic by its id, a year, both, or nothing."""

    topic: str | None = None
    year: int | None = None


def map_html(topic_map: TopicMap, choice: MapChoice, titles: Mapping[str, str]) -> str:
    """Return the map; `titles` has the titles of the papers that are points, by id."""
    notes = "".join(f'<p class="quiet">{render.plain_html(note.capitalize())}.</p>' for note in topic_map.notes)
    if not topic_map.topics:
        return notes
    hues = {topic.id: number % _HUES for number, topic in enumerate(topic_map.topics)}
    return (
        f'<div class="map">{notes}{_choice_html(topic_map, choice)}<div class="drawn">'
        f"{_scatter(topic_map, choice, hues, titles)}{_topics(topic_map.topics, choice, hues)}</div>"
        f"{_chosen(topic_map.topics, choice)}{_years(topic_map.topics, choice, hues)}</div>"
    )


def _choice_html(topic_map: TopicMap, choice: MapChoice) -> str:
    """Return what is chosen, each with a button that releases it, or what a click does."""
    if choice == MapChoice():
        sampled = len(topic_map.points) < topic_map.papers
        shown = f"{len(topic_map.points):,} of {topic_map.papers:,} papers" if sampled else "All papers"
        hint = "what is near is alike. Choose a topic or a year: the list below and the chat then look at it alone."
        return f'<p class="quiet">{shown}; {hint}</p>'
    label = next((to_text(topic.label) for topic in topic_map.topics if topic.id == choice.topic), choice.topic)
    chips = ""
    if label:
        release = button("topic", choice.topic, "×", "Look at all topics", "again")
        chips += f'<span class="chip"><span class="short">{line_html(label)}</span>{release}</span>'
    if choice.year is not None:
        release = button("in-year", choice.year, "×", "Look at all years", "again")
        chips += f'<span class="chip">{choice.year}{release}</span>'
    return (
        f'<div class="looking"><span>The list and the chat look only at</span>{chips}'
        f"{button('tochat', '', 'Ask about these', 'Go to the chat')}</div>"
    )


# The papers


def _scatter(topic_map: TopicMap, choice: MapChoice, hues: Mapping[str, int], titles: Mapping[str, str]) -> str:
    """Return the drawing: one picture for screen readers, as the topics beside it and the list below say the same."""
    # What is chosen lies on top.
    ordered = sorted(topic_map.points, key=lambda point: _fits(point, choice))
    points = "".join(_dot(point, choice, hues, titles.get(point.paper_id, "")) for point in ordered)
    label = f"{counted(len(ordered), 'paper')} by likeness, in {counted(len(topic_map.topics), 'topic')}"
    return f'<div class="scatter" role="img" aria-label="{label}">{points}{"".join(_names(topic_map, choice))}</div>'


def _dot(point: MapPoint, choice: MapChoice, hues: Mapping[str, int], title: str) -> str:
    kind = f"point hue-{hues[point.topic_id]}{'' if _fits(point, choice) else ' faint'}"
    value = attribute(f"{point.topic_id}:{point.paper_id}")
    year = f" ({point.year})" if point.year is not None else ""
    hint = line_html(title + year)
    return f'<span class="{kind}" style="{_at(point.x, point.y)}" data-value="{value}" title="{hint}"></span>'


def _names(topic_map: TopicMap, choice: MapChoice) -> Iterator[str]:
    """Yield the first term of the largest topics in the midst of their points; of the chosen one alone, if one is.

    A name that would lie over that of a larger topic is left out.
    """
    placed: list[tuple[float, float]] = []
    for number, topic in enumerate(topic_map.topics):
        points = [point for point in topic_map.points if point.topic_id == topic.id]
        is_named = number < _NAMED if choice.topic is None else topic.id == choice.topic
        if not (points and topic.terms and is_named):
            continue
        x, y = _middle([point.x for point in points]), _middle([point.y for point in points])
        if any(abs(x - left) < _NAME_WIDTH and abs(y - top) < _NAME_HEIGHT for left, top in placed):
            continue
        placed.append((x, y))
        kind = "named" if number < _NAMED_NARROW or choice.topic else "named minor"
        yield f'<span class="{kind}" style="{_at(x, y)};{_inward(x)}">{line_html(to_text(topic.terms[0]))}</span>'


def _at(x: float, y: float) -> str:
    """Return the style that puts something at a position, of -1 to 1, on the drawing, whose y grows downwards."""
    left, top = ((value + 1) / 2 * (100 - 2 * _MARGIN) + _MARGIN for value in (x, -y))
    return f"left:{left:.1f}%;top:{top:.1f}%"


def _inward(x: float) -> str:
    """Return the style that keeps a name within the drawing: the nearer to an edge, the more it leans away from it."""
    return f"transform:translate({-(x + 1) / 2 * 100:.0f}%,-50%)"


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _fits(point: MapPoint, choice: MapChoice) -> bool:
    return choice.topic in (None, point.topic_id) and choice.year in (None, point.year)


# The topics


def _topics(topics: Sequence[Topic], choice: MapChoice, hues: Mapping[str, int]) -> str:
    """Return a button for each topic, with the number of its papers in the chosen year."""
    items = "".join(_topic(topic, choice, hues[topic.id]) for topic in topics)
    return f'<ul class="topics" aria-label="Topics">{items}</ul>'


def _topic(topic: Topic, choice: MapChoice, hue: int) -> str:
    papers = len(topic.paper_ids) if choice.year is None else topic.years.get(choice.year, 0)
    pressed = "true" if topic.id == choice.topic else "false"
    return (
        f'<li><button type="button" class="act" name="topic" value="{attribute(topic.id)}" aria-pressed="{pressed}">'
        f'<span class="dot hue-{hue}"></span><span>{line_html(to_text(topic.label))}</span>'
        f'<span class="quiet">{papers:,}<span class="unseen"> papers</span></span></button></li>'
    )


def _chosen(topics: Sequence[Topic], choice: MapChoice) -> str:
    """Return the terms and the quotations of the chosen topic."""
    topic = next((topic for topic in topics if topic.id == choice.topic), None)
    if topic is None:
        return ""
    terms = ", ".join(line_html(to_text(term)) for term in topic.terms)
    quotes = "".join(_quote(topic.id, quote) for quote in topic.quotes)
    return f'<div class="about-topic"><p><span class="quiet">Terms:</span> {terms}</p>{quotes}</div>'


def _quote(topic_id: str, quote: TopicQuote) -> str:
    title = render.plain_html(to_text(quote.paper.title or "Untitled"))
    return (
        f"<blockquote>{render.plain_html(quote.passage.text)}</blockquote>"
        f'<p class="by"><button type="button" class="act" name="point" '
        f'value="{attribute(f"{topic_id}:{quote.paper.id}")}">{title}</button></p>'
    )


# The years


def _years(topics: Sequence[Topic], choice: MapChoice, hues: Mapping[str, int]) -> str:
    """Return a bar for each year, with a part for each of the largest topics; empty where no paper has a year.

    The newest comes first and is drawn last, so that a narrow screen, which scrolls, shows it.
    """
    shown = [topic for topic in topics if choice.topic in (None, topic.id)]
    totals = sum((Counter(dict(topic.years)) for topic in shown), Counter[int]())
    if not totals:
        return ""
    years = sorted(totals)[-_MAX_YEARS:]
    highest = max(totals[year] for year in years)
    bars = "".join(_bar(year, shown, hues, totals[year], highest, choice.year == year) for year in reversed(years))
    earlier = sum(totals[year] for year in totals if year < years[0])
    note = f'<p class="quiet">{counted(earlier, "paper")} before {years[0]}.</p>' if earlier else ""
    return f'<h3>By year</h3><div class="years">{bars}</div>{note}'


def _bar(year: int, topics: Sequence[Topic], hues: Mapping[str, int], total: int, highest: int, pressed: bool) -> str:
    parts = [(topic.years.get(year, 0), f"hue-{hues[topic.id]}") for topic in topics[:_PARTS]]
    parts.append((total - sum(count for count, _ in parts), "rest"))
    drawn = "".join(
        f'<span class="{hue}" style="height:{100 * count / highest:.1f}%"></span>' for count, hue in parts if count
    )
    state = "true" if pressed else "false"
    papers = counted(total, "paper")
    return (
        f'<button type="button" class="act bar" name="in-year" value="{year}" aria-pressed="{state}" title="{papers}">'
        f'<span class="parts">{drawn}</span><span>{year}<span class="unseen">: {papers}</span></span></button>'
    )
