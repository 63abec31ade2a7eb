"""Measure how a retrieval network ranks the papers of a collection, as a search fuses and reranks them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.batches import batches
from assistant.schema import Paper
from assistant.settings import Settings
from eval.training.retrieval_collections import SearchCollection, SearchText
from eval.training.retrieval_network import Encodings, RetrievalNetwork, late_scores
from eval.training.retrieval_tokens import Tokenized, WordTokenizer, lexicon_of
from eval.training.retrieval_training import encode_in_order

if TYPE_CHECKING:
    from assistant.encodings import Vectors

Parts = Mapping[str, str]
# The parts to choose by, and those to look at once; SciFact is never fitted to.
DEV: Parts = {"abstracts": "dev", "seeds": "dev", "scifact": "train"}
TEST: Parts = {"abstracts": "test", "seeds": "test", "scifact": "dev"}
_CUTS = (1, 5, 10)
_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class PreparedText:
    """A text to search with: its pieces, the rows of its papers, and its BM25 shares, shape (papers,).

    A share is 0 for a paper that BM25 does not return.
    """

    source: SearchText
    tokenized: Tokenized
    relevant: tuple[int, ...]
    lexical: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCollection:
    """A collection whose papers and texts a network can read. Of a long paper it reads the first chunk."""

    papers: Sequence[Tokenized]
    texts: Sequence[PreparedText]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPapers:
    """Papers as an index holds them: pooled vectors, shape (papers, dimension), and for each the signs of its words."""

    pooled: Tensor
    signs: Sequence[Tensor]


def prepare(collection: SearchCollection, tokenizer: Any, parts: Collection[str]) -> PreparedCollection:
    """Return the papers of a collection and its texts of some parts, tokenized, with their BM25 shares."""
    rows = {paper.id: row for row, paper in enumerate(collection.papers)}
    texts = [text for text in collection.texts if text.part in parts]
    limit = Settings.model_fields["candidates"].default
    with lexicon_of(collection.papers) as lexicon:
        words = WordTokenizer(tokenizer, lexicon)
        papers = words.tokenize([text_of(paper) for paper in collection.papers])
        prepared = []
        for text, tokenized in zip(texts, words.tokenize([text.text for text in texts]), strict=True):
            lexical = np.zeros(len(rows), dtype=np.float32)
            for hit in lexicon.search(text.text, limit):
                lexical[rows[hit.paper_id]] = hit.score / lexicon.max_score(text.text)
            prepared.append(PreparedText(text, tokenized, tuple(rows[paper] for paper in text.papers), lexical))
    return PreparedCollection(papers, prepared)


def text_of(paper: Paper) -> str:
    """Return the text of a paper that is encoded."""
    return (f"{paper.title}. " if paper.title else "") + paper.abstract


def table(
    title: str, network: RetrievalNetwork, collections: Mapping[str, PreparedCollection], parts: Sequence[Parts]
) -> str:
    """Return the figures of the parts, of papers encoded anew: a row for each collection, part and group of texts."""
    lines = [f"{title:<26}{'texts':>6}    R@1    R@5   R@10 nDCG@10"]
    for name, collection in collections.items():
        papers = encode_papers(network, collection.papers)
        for part in dict.fromkeys(of_part[name] for of_part in parts):
            lines += _rows(f"{name} {part}", network, papers, [t for t in collection.texts if t.source.part == part])
    return "\n".join(lines)


def _rows(name: str, network: RetrievalNetwork, papers: EncodedPapers, texts: Sequence[PreparedText]) -> Iterator[str]:
    figures = np.array(list(_figures(network, papers, texts)))
    groups = np.array([text.source.group for text in texts])
    for group in sorted(set(groups)):
        yield _row(f"{name}, {group}", figures[groups == group])
    yield _row(f"{name}, all", figures[groups != "multi"])


def _row(name: str, figures: Vectors) -> str:
    return f"{name:<26}{len(figures):>6}" + "".join(f"{value:>7.3f}" for value in figures.mean(axis=0))


def _figures(network: RetrievalNetwork, papers: EncodedPapers, texts: Sequence[PreparedText]) -> Iterator[list[float]]:
    """Yield recall at the cuts and nDCG@10 of each text."""
    for batch in batches(texts, _BATCH):
        with torch.inference_mode():
            encoded = network.encode([text.tokenized for text in batch])
            for row, text in enumerate(batch):
                query = Encodings(
                    *(tensor[row : row + 1] for tensor in (encoded.pooled, encoded.words, encoded.shares))
                )
                order = rank(papers, query, text.lexical)
                yield [*(_recall(order[:cut], text.relevant) for cut in _CUTS), _gain(order, text.relevant)]


def encode_papers(network: RetrievalNetwork, papers: Sequence[Tokenized]) -> EncodedPapers:
    """Return papers as an index would hold them, encoded by the network."""
    order = sorted(range(len(papers)), key=lambda row: len(papers[row].ids))
    pooled, signs = [], dict[int, Tensor]()
    for rows, encoded in encode_in_order(network, papers, order):
        pooled.append(encoded.pooled)
        for row, words in zip(rows, encoded.words, strict=True):
            signs[row] = torch.where(words[: len(papers[row].idf)] > 0, 1, -1).to(torch.int8)
    positions = torch.tensor(order, device=network.device).argsort()
    return EncodedPapers(torch.cat(pooled)[positions], [signs[row] for row in range(len(papers))])


def rank(papers: EncodedPapers, query: Encodings, lexical: Vectors) -> list[int]:
    """Return the rows of the papers, best first, by the default weights of a search."""
    settings = Settings.model_fields
    share, pool_size = settings["dense_weight"].default, settings["rerank_top_k"].default
    late_share = settings["rerank_weight"].default
    cosines: NDArray[np.float32] = (papers.pooled @ query.pooled[0]).cpu().numpy()
    nearest = np.argsort(-cosines, kind="stable")[: settings["candidates"].default]
    candidates = np.union1d(nearest, np.flatnonzero(lexical))
    fused = share * np.maximum(cosines, cosines[nearest[-1]]) + (1 - share) * lexical
    pool = candidates[np.argsort(-fused[candidates], kind="stable")[:pool_size]]
    scores = (1 - late_share) * fused[pool] + late_share * _late(papers, query, pool.tolist())
    ranked: list[int] = pool[np.argsort(-scores, kind="stable")].tolist()
    return ranked


def _late(papers: EncodedPapers, query: Encodings, rows: Sequence[int]) -> Vectors:
    """Return MaxSim of a query with papers, shape (papers,); 0 for one without words."""
    stored = [papers.signs[row] for row in rows]
    counts = torch.tensor([len(words) for words in stored], device=query.words.device)
    words = torch.nn.utils.rnn.pad_sequence(list(stored), batch_first=True).float() / math.sqrt(query.words.shape[2])
    is_word = torch.arange(words.shape[1], device=counts.device)[None] < counts[:, None]
    scores = late_scores(query, words, is_word)[0] if words.shape[1] else counts.float()
    late: Vectors = torch.where(counts > 0, scores, torch.zeros_like(scores)).cpu().numpy()
    return late


def _recall(order: Sequence[int], relevant: Collection[int]) -> float:
    return len(set(order) & set(relevant)) / len(relevant)


def _gain(order: Sequence[int], relevant: Collection[int]) -> float:
    gain = sum(1 / math.log2(rank + 2) for rank, paper in enumerate(order[:10]) if paper in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(relevant))))
