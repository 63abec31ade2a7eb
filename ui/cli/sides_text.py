"""Both sides of a claim as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.disagreement.sides import SidedSentence, Sides
from assistant.text.latex import to_text
from assistant.text.printable import one_line, printable
from ui.cli.terminal import paper_line


def sides_text(sides: Sides) -> str:
    """Format both sides of a claim: a group for each, its newest paper last."""
    groups = (("Supports", sides.supports), ("Contradicts", sides.contradicts), ("Depends", sides.depends))
    parts = [f"{'Question' if sides.question else 'Claim'}: {one_line(to_text(sides.disputed))}"]
    parts += [f"({one_line(sides.note)})"] if sides.note else []
    parts += ["\n".join(_group(heading, sentences)) for heading, sentences in groups if sentences]
    return printable("\n\n".join(parts if sides.sentences else [*parts, "No abstract in the library takes a side."]))


def _group(heading: str, sentences: Sequence[SidedSentence]) -> Iterator[str]:
    yield f"{heading} ({len(sentences)})"
    for sentence in sentences:
        yield f"  {sentence.probability:.2f}  {to_text(sentence.passage.text)}"
        if sentence.condition is not None:
            side = "supports" if sentence.supports else "contradicts"
            yield f"        {side}, on the condition: {to_text(sentence.condition)}"
        yield f"        {paper_line(sentence.paper)}"
