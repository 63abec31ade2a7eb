"""The lexical index: the only home of tantivy. BM25 over title and abstract, on disk, incremental.

tantivy was kept over bm25s: on SciFact (5,183 abstracts, 300 claims) it ranks as well (nDCG@10 0.684
beside 0.676-0.686 by bm25s's parameters), answers within the same half millisecond, and adds or removes one
paper in milliseconds where bm25s rebuilds everything. `python -m eval bench` measures both again.
"""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import tantivy

from assistant.errors import LibraryError, LibraryWriteError
from assistant.schema import Paper, Scored

ANALYZER = "simple-60 lowercase ascii_fold stopword(english) stemmer(english) bm25(1.2,0.75)"
_TOKENIZER = "paperchat_english"
# The engine's own, which it does not let be changed.
_K1 = 1.2
_WRITER_BYTES = 50_000_000
# Terms of a query beyond this many are dropped: a pasted page is no question.
_MOST_TERMS = 200
# A search within more than one in so many papers searches all of them and leaves out the others.
_MANY = 8
# Document frequencies kept in memory; the terms of 5,000 abstracts fit.
_CACHED_TERMS = 50_000


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """One state of the index. `document_frequency` searches for each term once, however many threads call it."""

    searcher: tantivy.Searcher
    document_frequency: Callable[[str], int]


class TantivyLexicon:
    """A Lexicon in one directory. Readers see a change once `refresh` was called."""

    def __init__(self, folder: Path) -> None:
        """Raises LibraryError where the directory holds something unreadable."""
        self._folder = folder
        self._schema = _schema()
        self._analyzer = _analyzer()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, str(folder))
        except (ValueError, OSError) as error:
            raise LibraryError(f"the lexicon in {folder} cannot be opened ({error}); run: paperchat reindex") from error
        self._index.register_tokenizer(_TOKENIZER, self._analyzer)
        self._snapshot = self._take_snapshot()

    def refresh(self) -> None:
        """See what other processes have written."""
        self._index.reload()
        self._snapshot = self._take_snapshot()

    def replace(self, papers: Sequence[Paper]) -> None:
        """Index these papers anew. Raises LibraryWriteError, and then nothing has changed."""
        self._write([paper.id for paper in papers], papers)

    def remove(self, paper_ids: Collection[str]) -> None:
        """Forget the papers. Raises LibraryWriteError, and then nothing has changed."""
        self._write(paper_ids, ())

    def search(self, text: str, limit: int, allowed_ids: Collection[str] | None = None) -> list[Scored]:
        """BM25 over title and abstract, best first; a term counts as often as the text has it."""
        terms = self._counted(text)
        if not terms or (allowed_ids is not None and not allowed_ids):
            return []
        query = self._any_of(terms)
        if allowed_ids is None:
            return self._best(query, limit)
        if len(allowed_ids) * _MANY < self._snapshot.searcher.num_docs:
            return self._best(self._among(query, allowed_ids), limit)
        return self._left_of(query, limit, frozenset(allowed_ids))

    def max_score(self, text: str) -> float:
        """The sum of the terms' rarities, each k1 + 1 times and as often as the text has it: BM25's limit."""
        terms = self._counted(text)
        idf = self.idf(terms)
        return (_K1 + 1) * sum(count * idf[term] for term, count in terms.items())

    def terms(self, text: str) -> list[str]:
        """The text's index terms in order."""
        return self._analyzer.analyze(text)

    def idf(self, terms: Collection[str]) -> dict[str, float]:
        """ln(1 + (N - n + 0.5) / (n + 0.5)) for each term, as in BM25."""
        snapshot = self._snapshot
        total = snapshot.searcher.num_docs
        return {term: _inverse_document_frequency(total, snapshot.document_frequency(term)) for term in terms}

    def unseen(self, terms: Collection[str]) -> set[str]:
        """Those of the terms that no paper has."""
        document_frequency = self._snapshot.document_frequency
        return {term for term in terms if not document_frequency(term)}

    def paper_ids(self) -> set[str]:
        """Every paper that is indexed."""
        searcher = self._snapshot.searcher
        if not searcher.num_docs:
            return set()
        result = searcher.search(tantivy.Query.all_query(), searcher.num_docs, count=False)
        return {searcher.doc(address)["id"][0] for _, address in result.hits}

    def is_empty(self) -> bool:
        """Whether it holds no paper."""
        return bool(self._snapshot.searcher.num_docs == 0)

    def _counted(self, text: str) -> Counter[str]:
        return Counter(self.terms(text)[:_MOST_TERMS])

    def _best(self, query: tantivy.Query, limit: int) -> list[Scored]:
        searcher = self._snapshot.searcher
        result = searcher.search(query, limit, count=False)
        return [Scored(searcher.doc(address)["id"][0], float(score)) for score, address in result.hits]

    def _among(self, query: tantivy.Query, allowed_ids: Collection[str]) -> tantivy.Query:
        """The query, for these papers only; that a paper is one of them adds nothing to its score."""
        one_of = tantivy.Query.const_score_query(
            tantivy.Query.term_set_query(self._schema, "id", list(allowed_ids)), 0.0
        )
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, one_of)])

    def _left_of(self, query: tantivy.Query, limit: int, allowed_ids: frozenset[str]) -> list[Scored]:
        """The best of these papers, found among the best of all: faster than a set of most of the library's ids."""
        asked = limit
        while True:
            found = self._best(query, asked)
            left = [each for each in found if each.paper_id in allowed_ids]
            if len(left) >= limit or len(found) < asked:
                return left[:limit]
            asked *= 4

    def _take_snapshot(self) -> _Snapshot:
        searcher, schema = self._index.searcher(), self._schema
        return _Snapshot(searcher, lru_cache(_CACHED_TERMS)(lambda term: _document_frequency(searcher, schema, term)))

    def _any_of(self, terms: Counter[str]) -> tantivy.Query:
        queries = (
            tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, "text", term), float(count))
            for term, count in terms.items()
        )
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])

    def _write(self, stale: Collection[str], papers: Sequence[Paper]) -> None:
        try:
            writer = self._index.writer(_WRITER_BYTES, num_threads=1)
            for paper_id in stale:
                writer.delete_documents_by_term("id", paper_id)
            for paper in papers:
                writer.add_document(tantivy.Document(id=paper.id, text=f"{paper.title or ''}\n{paper.abstract}"))
            writer.commit()
            writer.wait_merging_threads()
        except (ValueError, OSError) as error:
            raise LibraryWriteError(f"the lexicon in {self._folder} cannot be written: {error}") from error
        self.refresh()


def wipe(folder: Path) -> None:
    """Delete the lexicon that lies in the directory, if there is one."""
    shutil.rmtree(folder, ignore_errors=True)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name=_TOKENIZER, index_option="freq")
    return builder.build()


def _analyzer() -> tantivy.TextAnalyzer:
    filters = (
        tantivy.Filter.remove_long(60),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stopword("english"),
        tantivy.Filter.stemmer("english"),
    )
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for each in filters:
        builder = builder.filter(each)
    return builder.build()


def _document_frequency(searcher: tantivy.Searcher, schema: tantivy.Schema, term: str) -> int:
    """Count the papers that have the term. tantivy's own document frequency still counts deleted papers."""
    result: Any = searcher.search(tantivy.Query.term_query(schema, "text", term), 1, count=True)
    return int(result.count)


def _inverse_document_frequency(total: int, document_frequency: int) -> float:
    return math.log(1 + (total - document_frequency + 0.5) / (document_frequency + 0.5))
