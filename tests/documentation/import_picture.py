"""The picture of imports in docs/imports.svg, drawn from the code and from the layers in pyproject.toml.

Write it again by: python -m tests.documentation.import_picture > docs/imports.svg
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

import grimp

from tests.conftest import ROOT

WIDTH, ROW, BOX_HEIGHT, GAP = 1060, 74, 34, 14
PACKAGES = ("ui", "eval", "ingest")  # drawn as one box each; of the core, each part is drawn
STYLE = """<style>
text { font: 13px sans-serif; fill: #222; text-anchor: middle }
rect { fill: #eef2f7; stroke: #5b6b7f }
rect.face { fill: #fdf3dc }
path { stroke: #7d8894; stroke-width: 1.2; fill: none; marker-end: url(#head) }
marker path { fill: #7d8894; stroke: none; marker-end: none }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0L8 4L0 8z"/></marker></defs>"""

Edges = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Box:
    """A package or module of the picture, in pixels from the upper left corner."""

    name: str
    x: float
    y: float
    width: float

    def svg(self) -> str:
        """Return the box with its name."""
        kind = ' class="face"' if self.name in PACKAGES else ""
        middle = f'x="{self.x + self.width / 2:.0f}" y="{self.y + BOX_HEIGHT / 2 + 5:.0f}"'
        return (
            f'<rect{kind} x="{self.x:.0f}" y="{self.y:.0f}" width="{self.width:.0f}" height="{BOX_HEIGHT}" rx="5"/>'
            f"<text {middle}>{escape(self.name.removeprefix('assistant.'))}</text>"
        )


def part_of(module: str) -> str:
    """Return the name of the box that a module belongs to."""
    names = module.split(".")
    return names[0] if names[0] in PACKAGES else ".".join(names[:2])


def rows() -> list[list[str]]:
    """Return the layers of the contracts, from the top: the faces, ingest, and the layers of the core."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    outer, core = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [split(layer) for layer in outer if layer != "assistant"] + [
        [f"assistant.{name}" for name in split(layer)] for layer in core
    ]


def split(layer: str) -> list[str]:
    return [name.strip() for name in layer.split("|")]


def imports(names: Iterable[str]) -> Edges:
    """Return which box imports which."""
    graph = grimp.build_graph(*PACKAGES, "assistant", cache_dir=None)
    edges: Edges = {name: set() for name in names}
    for module in graph.modules:
        importer = part_of(module)
        imported = {part_of(name) for name in graph.find_modules_directly_imported_by(module)}
        if importer in edges:  # all but the core itself, whose public names are imported when they are used
            edges[importer] |= (imported & edges.keys()) - {importer}
    return edges


def without_shortcuts(edges: Edges) -> Edges:
    """Return the edges of which no longer path says the same (the transitive reduction)."""
    return {
        start: {end for end in ends if not any(end in reachable(other, edges) for other in ends - {end})}
        for start, ends in edges.items()
    }


def reachable(start: str, edges: Edges) -> set[str]:
    """Return the boxes that a box imports, directly or by others."""
    waiting, visited = [start], set[str]()
    while waiting:
        for end in edges[waiting.pop()] - visited:
            visited.add(end)
            waiting.append(end)
    return visited


def placed(layers: list[list[str]]) -> Iterator[Box]:
    """Yield the boxes of each layer, side by side around the middle."""
    for number, layer in enumerate(layers):
        widths = [8.0 * len(name.removeprefix("assistant.")) + 24 for name in layer]
        gap = min(90.0, (WIDTH - sum(widths)) / (len(layer) + 1))
        x = (WIDTH - sum(widths) - gap * (len(layer) - 1)) / 2
        for name, width in zip(layer, widths, strict=True):
            yield Box(name, x, GAP + number * ROW, width)
            x += width + gap


def arrow(start: Box, end: Box) -> str:
    """Return a curve from the lower edge of a box to the upper edge of another."""
    x, y = start.x + start.width / 2, start.y + BOX_HEIGHT
    to_x, to_y = end.x + end.width / 2, end.y
    bend = (to_y - y) / 2
    return f'<path d="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} {to_x:.0f} {to_y:.0f}"/>'


def picture() -> str:
    """Return the picture as SVG."""
    layers = rows()
    boxes = {box.name: box for box in placed(layers)}
    reduced = without_shortcuts(imports(boxes))
    arrows = [arrow(boxes[start], boxes[end]) for start in boxes for end in sorted(reduced[start])]
    height = GAP + ROW * (len(layers) - 1) + BOX_HEIGHT + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Imports">'
    backdrop = f'<rect style="fill:#fff;stroke:none" width="{WIDTH}" height="{height}"/>'
    return "\n".join([head, STYLE, backdrop, *arrows, *(box.svg() for box in boxes.values()), "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(picture())
