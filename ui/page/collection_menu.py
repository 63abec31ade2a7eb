"""Render what a person adds to papers: the menus of collections, and the tags and note of a paper."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.schema import Annotation, PaperCollection
from assistant.storage.annotations import MAX_NOTE_LENGTH
from assistant.text.printable import printable
from ui.cli.terminal import counted
from ui.page.turns import attribute, button, line_html


def bar_html(collections: Sequence[PaperCollection], chosen: PaperCollection | None, listed: int) -> str:
    """Return the menus above the list: which collection is shown, and into which its `listed` papers can be put."""
    name = chosen.name if chosen else "All papers"
    items = "".join(button("choose", each.id, f"{each.name} ({each.papers:,})") for each in collections)
    items = button("choose", "", "All papers") + items + button("begin", "", "New collection ...")
    shown = f'<span class="unseen">Show the collection: </span><span class="chosen">{line_html(name)}</span> ▾'
    return (
        f'<div class="collection">{_menu(shown, items)}{_chosen_buttons(chosen) if chosen else ""}'
        f"{_add_menu(collections, chosen) if listed else ''}</div>"
    )


def annotation_form_html(paper_id: str, annotation: Annotation, title: str) -> str:
    """Return the tags, the note and the collections of a paper, the first two to be changed."""
    tags, note = attribute(", ".join(annotation.tags)), attribute(printable(annotation.note))
    within, from_files = _chips(annotation.collections), _chips(annotation.keywords)
    return (
        '<div class="added"><label>Tags, with commas between them'
        f'<input type="text" name="tags" value="{tags}"></label>'
        f'<label>Note<textarea name="note" rows="2" maxlength="{MAX_NOTE_LENGTH}">{note}</textarea></label>'
        f"{button('annotate', paper_id, 'Save tags and note', unseen=title)}"
        f"{f'<p>Tags from its files: {from_files}</p>' if from_files else ''}"
        f"{f'<p>In {within}</p>' if within else ''}"
        f"{f'<p>{cited_as}</p>' if (cited_as := _cited_as(annotation)) else ''}</div>"
    )


def annotation_html(annotation: Annotation) -> str:
    """Return the tags, collections and note of a paper for its card; empty without any."""
    chips = _chips([f"#{tag}" for tag in annotation.tags] + list(annotation.collections))
    from_files = _chips([f"#{tag}" for tag in annotation.keywords])
    chips += f'<span class="quiet">From its files: </span>{from_files}' if from_files else ""
    chips += _cited_as(annotation)
    # Without line breaks: after an empty line, the component would read Markdown.
    lines = "<br>".join(line_html(line) for line in annotation.note.splitlines() if line.strip())
    note = f'<p class="note">Note: {lines}</p>' if lines else ""
    return f'<div class="added">{chips}{note}</div>' if chips or note else ""


def _cited_as(annotation: Annotation) -> str:
    """Return the key by which drafts cite the paper; empty where the reference manager has none."""
    key = line_html(annotation.citation_key)
    return f'<span class="quiet">Cited as </span><code>{key}</code>' if key else ""


def _chips(names: Sequence[str]) -> str:
    return "".join(f'<span class="chip name">{line_html(name)}</span>' for name in names)


def keep_menu_html(turn_id: int, collections: Sequence[PaperCollection]) -> str:
    """Return a menu that puts the papers of an answer into a collection."""
    items = "".join(button("keep", f"{turn_id}:{each.id}", each.name) for each in collections)
    return _menu("Keep papers in ...", items + button("keepnew", turn_id, "New collection ..."))


def _chosen_buttons(chosen: PaperCollection) -> str:
    return "".join(
        [
            button("within", chosen.id, "Ask about these", "Look only at this collection in the chat"),
            button("uncollect", chosen.id, "Take out ticked", "Remove the ticked papers from this collection"),
            button("entitle", chosen.id, "Rename"),
            button("discard", chosen.id, "Delete collection", "Its papers stay in the library"),
        ]
    )


def _add_menu(collections: Sequence[PaperCollection], chosen: PaperCollection | None) -> str:
    others = [each for each in collections if each != chosen]
    items = "".join(button("collect", each.id, f"{each.name} ({each.papers:,})") for each in others)
    hint = "<span class=quiet>Ticked papers, or all that are listed</span>"
    return _menu("Add papers to ... ▾", hint + items + button("gather", "", "New collection ..."))


def _menu(summary: str, items: str) -> str:
    return f'<details class="menu"><summary>{summary}</summary><span class="items">{items}</span></details>'


def added_text(added: int, selected: int, name: str) -> str:
    """Return a message about papers that were put into a collection."""
    known = f"; {selected - added:,} were in it already" if selected > added else ""
    return f"{counted(added, 'paper')} added to “{name}”{known}."
