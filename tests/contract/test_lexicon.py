"""The contract of every Lexicon, just written or reopened."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import LibraryError
from assistant.protocols import Lexicon
from assistant.schema import Paper, PaperScore
from assistant.storage import lexicon as lexicon_module
from assistant.storage.lexicon import TantivyLexicon

ADAPTERS: dict[str, Callable[[Path], Lexicon]] = {"tantivy": TantivyLexicon}
ICE = Paper("ice", "Glaciers melt. Glaciers retreat, and rivers swell.", title="Ice in warm years")
BEES = Paper("bees", "Honey bees dance to show the way along rivers.")
BREAD = Paper("bread", "Sourdough rises by wild yeast in a warm kitchen.")

Open = Callable[[], Lexicon]


@pytest.fixture(params=ADAPTERS)
def open_lexicon(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return a function that opens the lexicon of one directory; each call opens another instance."""
    return lambda: ADAPTERS[request.param](tmp_path)


@pytest.fixture(params=["just written", "opened again"])
def settled(request: pytest.FixtureRequest, open_lexicon: Open) -> Callable[[Lexicon], Lexicon]:
    """Return a function that gives the lexicon to read after a change: the same, or a reopened one."""
    return lambda lexicon: lexicon if request.param == "just written" else open_lexicon()


@pytest.fixture
def lexicon(open_lexicon: Open) -> Lexicon:
    """Return a lexicon of three papers."""
    opened = open_lexicon()
    opened.replace([ICE, BEES, BREAD])
    return opened


def ids(hits: Sequence[PaperScore]) -> list[str]:
    return [hit.paper_id for hit in hits]


def test_an_empty_lexicon_is_empty_and_returns_no_hits(open_lexicon: Open) -> None:
    lexicon = open_lexicon()
    assert lexicon.is_empty()
    assert lexicon.paper_ids() == set()
    assert lexicon.search("glaciers", 5) == []
    idf = lexicon.idf(["glacier", "zeppelin"])
    assert idf["glacier"] == idf["zeppelin"]


def test_search_is_best_first_with_one_entry_a_paper(lexicon: Lexicon, settled: Callable[[Lexicon], Lexicon]) -> None:
    hits = settled(lexicon).search("glaciers and rivers", 5)
    assert ids(hits) == ["ice", "bees"]
    assert hits[0].score > hits[1].score > 0


@pytest.mark.parametrize("text", ["glaciers", "glaciers rivers yeast", "rivers rivers rivers", "zeppelin yeast"])
def test_max_score_is_a_tight_upper_bound_of_the_scores(
    lexicon: Lexicon, settled: Callable[[Lexicon], Lexicon], text: str
) -> None:
    lexicon.replace([Paper("full", f"{text} " * 500)])
    index = settled(lexicon)
    best = index.search(text, 1)[0].score
    assert best <= index.max_score(text)
    if "zeppelin" not in text:
        assert best > 0.9 * index.max_score(text)


def test_the_max_score_of_a_text_without_terms_is_zero(lexicon: Lexicon) -> None:
    assert lexicon.max_score("of the") == 0


def test_search_reads_the_title_too(lexicon: Lexicon) -> None:
    assert ids(lexicon.search("years", 5)) == ["ice"]


def test_search_returns_at_most_limit_papers(lexicon: Lexicon) -> None:
    assert ids(lexicon.search("glaciers rivers yeast", 1)) == ["ice"]


@pytest.mark.parametrize(
    "allowed_ids", [["ice"], {"bees"}, ["bees", "nobody"], ("bread", "bees"), ["ice", "bees", "bread"]]
)
def test_a_search_within_allowed_ids_returns_the_best_of_these(lexicon: Lexicon, allowed_ids: Collection[str]) -> None:
    everything = lexicon.search("glaciers rivers yeast", 5)
    assert lexicon.search("glaciers rivers yeast", 5, allowed_ids) == [
        hit for hit in everything if hit.paper_id in allowed_ids
    ]


@pytest.mark.parametrize("allowed_ids", [[], ["nobody"]])
def test_a_search_within_no_indexed_paper_returns_no_hits(lexicon: Lexicon, allowed_ids: Collection[str]) -> None:
    assert lexicon.search("glaciers rivers yeast", 5, allowed_ids) == []


@pytest.mark.parametrize("every", [2, 7, 60, 300])
def test_a_filtered_search_fills_its_limit_for_any_share_of_allowed_papers(open_lexicon: Open, every: int) -> None:
    lexicon = open_lexicon()
    lexicon.replace([Paper(f"{number:03}", "glacier " * (number + 1) + "ice " * 600) for number in range(600)])
    allowed_ids = [f"{number:03}" for number in range(600)][::every]
    unfiltered = [hit for hit in lexicon.search("glacier", 600) if hit.paper_id in allowed_ids]
    hits = lexicon.search("glacier", 20, allowed_ids)
    assert ids(hits) == ids(unfiltered)[:20]
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in unfiltered[:20]])


@pytest.mark.parametrize("nothing", ["", "  ", "?!", "the of and", "zeppelin", "🧊"])
def test_search_without_an_indexed_term_returns_no_hits(lexicon: Lexicon, nothing: str) -> None:
    assert lexicon.search(nothing, 5) == []


@pytest.mark.parametrize("syntax", ['"', "id:ice AND (", "glac* NOT [a TO b]", "-bees", "bees^", "bees~2", "\\", "/*/"])
def test_query_syntax_has_no_meaning_in_a_search(lexicon: Lexicon, syntax: str) -> None:
    assert ids(lexicon.search(f"{syntax} yeast", 5))[0] == "bread"


def test_a_very_long_query_is_answered(lexicon: Lexicon) -> None:
    assert ids(lexicon.search("glaciers " + " ".join(f"word{number}" for number in range(20_000)), 5)) == ["ice"]


def test_replacing_again_changes_nothing(lexicon: Lexicon, settled: Callable[[Lexicon], Lexicon]) -> None:
    before = lexicon.search("rivers", 5)
    for _ in range(3):
        lexicon.replace([ICE, BEES, BREAD])
    again = settled(lexicon)
    assert again.search("rivers", 5) == before
    assert again.paper_ids() == {"ice", "bees", "bread"}


def test_replace_removes_the_earlier_text(lexicon: Lexicon, settled: Callable[[Lexicon], Lexicon]) -> None:
    lexicon.replace([Paper("ice", "Volcanoes erupt.")])
    again = settled(lexicon)
    assert again.search("glaciers", 5) == []
    assert ids(again.search("volcanoes", 5)) == ["ice"]
    assert again.paper_ids() == {"ice", "bees", "bread"}


def test_replacing_nothing_is_allowed(lexicon: Lexicon) -> None:
    lexicon.replace([])
    assert lexicon.paper_ids() == {"ice", "bees", "bread"}


def test_remove_removes_papers(lexicon: Lexicon, settled: Callable[[Lexicon], Lexicon]) -> None:
    lexicon.remove(["ice"])
    again = settled(lexicon)
    assert again.paper_ids() == {"bees", "bread"}
    assert again.search("glaciers", 5) == []
    again.remove(["bees", "bread"])
    assert settled(again).is_empty()


@pytest.mark.parametrize("unseen", [[], ["nobody"], ["nobody", "ice"], {"nobody"}])
def test_remove_ignores_unknown_ids(open_lexicon: Open, unseen: Sequence[str]) -> None:
    lexicon = open_lexicon()
    lexicon.remove(unseen)
    lexicon.replace([ICE, BEES])
    lexicon.remove(unseen)
    assert lexicon.paper_ids() == {"ice", "bees"} - set(unseen)


def test_refresh_sees_what_a_second_instance_wrote(open_lexicon: Open) -> None:
    reader, writer = open_lexicon(), open_lexicon()
    writer.replace([ICE, BEES])
    reader.refresh()
    assert set(ids(reader.search("rivers", 5))) == {"ice", "bees"}
    writer.remove(["ice"])
    reader.refresh()
    assert ids(reader.search("rivers", 5)) == ["bees"]


def test_terms_are_lower_case_stems_in_order_without_stop_words(lexicon: Lexicon) -> None:
    assert lexicon.terms("The Melting of GLACIERS, and naïve glaciers in COVID-19") == [
        "melt",
        "glacier",
        "naiv",
        "glacier",
        "covid",
        "19",
    ]
    assert lexicon.terms("") == []


def test_idf_is_the_inverse_document_frequency(lexicon: Lexicon, settled: Callable[[Lexicon], Lexicon]) -> None:
    idf = settled(lexicon).idf(["river", "yeast", "zeppelin"])
    assert idf == pytest.approx(
        {"river": math.log(1 + 1.5 / 2.5), "yeast": math.log(1 + 2.5 / 1.5), "zeppelin": math.log(1 + 3.5 / 0.5)}
    )
    assert lexicon.idf([]) == {}


def test_a_term_whose_only_paper_was_removed_is_unseen_and_has_the_highest_idf(
    lexicon: Lexicon, settled: Callable[[Lexicon], Lexicon]
) -> None:
    lexicon.remove(["ice"])
    again = settled(lexicon)
    idf = again.idf(["glacier", "yeast", "zeppelin"])
    assert idf["glacier"] == idf["zeppelin"] > idf["yeast"]


def test_idf_does_not_fall_when_a_paper_is_replaced(lexicon: Lexicon) -> None:
    before = lexicon.idf(["yeast"])
    for _ in range(3):
        lexicon.replace([BREAD])
    assert lexicon.idf(["yeast"]) == before


def test_the_document_frequency_of_a_term_is_counted_once_until_a_refresh(
    lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    count = lexicon_module._document_frequency

    def counting(searcher: Any, schema: Any, term: str) -> int:
        counted.append(term)
        return count(searcher, schema, term)

    monkeypatch.setattr(lexicon_module, "_document_frequency", counting)
    for _ in range(3):
        lexicon.idf(["yeast", "zeppelin"])
        lexicon.idf(["zeppelin", "river"])
        lexicon.max_score("yeast and rivers")
    assert sorted(counted) == ["river", "yeast", "zeppelin"]
    lexicon.refresh()
    lexicon.idf(["yeast"])
    assert sorted(counted) == ["river", "yeast", "yeast", "zeppelin"]


def test_idf_follows_what_is_written_while_other_threads_ask(lexicon: Lexicon) -> None:
    def weights(_: int) -> float:
        return lexicon.idf(["yeast"])["yeast"]

    with ThreadPoolExecutor(4) as threads:
        running = threads.map(weights, range(200))
        lexicon.replace([Paper("beer", "Brewers add yeast.")])
        allowed = {round(math.log(1 + 2.5 / 1.5), 9), round(math.log(1 + 2.5 / 2.5), 9)}
        assert {round(weight, 9) for weight in running} <= allowed
    assert weights(0) == pytest.approx(math.log(1 + 2.5 / 2.5))


def test_a_damaged_lexicon_is_a_library_error_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text("{", encoding="utf-8")
    with pytest.raises(LibraryError, match="paperchat reindex"):
        TantivyLexicon(tmp_path)
