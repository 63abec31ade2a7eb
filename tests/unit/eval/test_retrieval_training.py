"""Training the encoder adapter: it learns, can be interrupted, never sees what measures, and ranks as a search does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from assistant.embedding.encoder_adapter import load_adapter, save_adapter
from assistant.errors import InputError
from assistant.schema import Paper
from eval.training import examples, retrieval_measures, retriever
from eval.training.retrieval_collections import SearchCollection, SearchText, questions_about
from eval.training.retrieval_data import PUBLIC, TITLE, TrainingPair, TrainingTexts, read_training
from eval.training.retrieval_measures import EncodedPapers
from eval.training.retrieval_network import Encodings, LowRank, RetrievalNetwork, late_scores, signs
from eval.training.retrieval_tokens import WordTokenizer, lexicon_of
from eval.training.retrieval_training import Plan, Sampler, Trainer, near_documents
from tests.tiny import a_tiny_bert
from tests.training_data import annotated, write, write_contrasts, write_training_data

SUBJECTS = {"honeybees": "hive", "glaciers": "ice", "robots": "machine", "galaxies": "stars", "vaccines": "shots"}
ANSWERS = ("dance", "melt", "walk", "spin", "protect")
WORDS = [*SUBJECTS, *SUBJECTS.values(), *ANSWERS, "."]
DOCUMENTS = tuple(f"{subject} {answer}." for subject, answer in zip(SUBJECTS, ANSWERS, strict=True))
# No query has a word of its document, so that only training brings them together.
TEXTS = TrainingTexts(
    DOCUMENTS,
    tuple(
        TrainingPair(word, number, kind)
        for number, word in enumerate(SUBJECTS.values())
        for kind in ("hard", PUBLIC, TITLE)
    ),
)
PLAN = Plan(rank=8, steps=200, rate=5e-3, batch=(10, 4, 2), strength=1.0)
SHORT = replace(PLAN, steps=8, saved=4)
COLLECTION = SearchCollection(
    tuple(Paper(f"p{number}", document, None) for number, document in enumerate(DOCUMENTS)),
    tuple(SearchText(word, (f"p{n}",), "dev", "hard") for n, word in enumerate(SUBJECTS.values())),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_tiny_bert(tmp_path_factory.mktemp("bert"), WORDS)


@pytest.fixture
def network(folder: Path) -> RetrievalNetwork:
    return RetrievalNetwork(str(folder), PLAN.rank, PLAN.seed)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(examples, "CONTRASTS", (write_contrasts(tmp_path),))
    return write_training_data(tmp_path)


# Reading texts


def test_a_piece_belongs_to_the_content_word_that_it_is_part_of() -> None:
    text, spans = "do re-rankers help?", [(0, 0), (0, 2), (3, 5), (5, 6), (6, 10), (10, 13), (14, 18), (18, 19), (0, 0)]
    tokenizer = lambda *_, **__: {"input_ids": [list(range(9))], "offset_mapping": [spans]}  # noqa: E731
    lexicon = SimpleNamespace(
        terms=lambda word: [] if word in ("do", "re") else [word], idf=lambda terms: dict.fromkeys(terms, 2.0)
    )
    (tokenized,) = WordTokenizer(tokenizer, lexicon).tokenize([text])
    assert tokenized.owners.tolist() == [-1, -1, -1, -1, 0, 0, 1, -1, -1]
    assert tokenized.idf.tolist() == [2.0, 2.0]


def test_a_word_that_was_cut_off_has_no_weight(network: RetrievalNetwork) -> None:
    with lexicon_of([Paper("a", DOCUMENTS[0], None)]) as lexicon:
        whole, cut = (WordTokenizer(network.tokenizer, lexicon, most).tokenize(DOCUMENTS)[0] for most in (9, 3))
    assert (len(whole.idf), len(cut.idf)) == (2, 1)
    assert len(cut.ids) == 3


# The network


def test_a_layer_starts_without_changes() -> None:
    linear = torch.nn.Linear(6, 4)
    inputs = torch.randn(2, 6)
    assert torch.equal(LowRank(linear, 2)(inputs), linear(inputs))


def test_maxsim_takes_the_most_similar_word_of_each_document_by_its_weight() -> None:
    torch.manual_seed(3)
    words, stored = torch.nn.functional.normalize(torch.randn(1, 2, 16), dim=2), torch.randn(3, 5, 16)
    is_word = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])
    scores = late_scores(Encodings(words[:, 0], words, torch.tensor([[0.75, 0.25]])), stored, is_word)
    for row, mask in enumerate(is_word):
        best = (stored[row][mask] @ words[0].T).amax(dim=0)
        assert float(scores[0, row]) == pytest.approx(float(best @ torch.tensor([0.75, 0.25])), abs=1e-5)


def test_documents_are_rounded_to_signs_and_gradients_pass_the_rounding() -> None:
    words = torch.tensor([[0.3, -0.1, 0.2, -0.9]], requires_grad=True)
    rounded = signs(words)
    assert rounded.tolist() == [pytest.approx([0.5, -0.5, 0.5, -0.5])]
    rounded.sum().backward()  # type: ignore[no-untyped-call]
    assert words.grad is not None
    assert words.grad.tolist() == [[1.0] * 4]


# Training


def a_trainer(network: RetrievalNetwork, checkpoint: Path, plan: Plan = PLAN) -> Trainer:
    return Trainer(network, retriever.tokenize(network, TEXTS), plan, checkpoint)


def ranked_first(network: RetrievalNetwork) -> list[bool]:
    """Tell for each text of the collection whether its paper is ranked first."""
    prepared = retrieval_measures.prepare(COLLECTION, network.tokenizer, {"dev"})
    papers = retrieval_measures.encode_papers(network, prepared.papers)
    with torch.inference_mode():
        queries = [network.encode([text.tokenized]) for text in prepared.texts]
    return [
        retrieval_measures.rank(papers, query, text.lexical)[0] in text.relevant
        for query, text in zip(queries, prepared.texts, strict=True)
    ]


def test_the_loss_falls_and_papers_rank_first_for_questions_without_their_words(
    network: RetrievalNetwork, tmp_path: Path
) -> None:
    trainer = a_trainer(network, tmp_path / "checkpoint")
    before, first = float(trainer.loss(0).detach()), ranked_first(network)
    assert not all(first)
    trainer.fit()
    assert float(trainer.loss(0).detach()) < before / 4
    assert all(ranked_first(network))


def test_an_interrupted_training_goes_on_to_the_same_weights(folder: Path, tmp_path: Path) -> None:
    whole, stopped, resumed = (RetrievalNetwork(str(folder), PLAN.rank, PLAN.seed) for _ in range(3))
    a_trainer(whole, tmp_path / "whole", SHORT).fit()
    a_trainer(stopped, tmp_path / "parts", SHORT).fit(until=5)  # the checkpoint is that of step 4
    a_trainer(resumed, tmp_path / "parts", SHORT).fit()
    for expected, value in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(expected, value)


def test_a_checkpoint_of_another_plan_is_not_gone_on_with(folder: Path, tmp_path: Path) -> None:
    first, second = (RetrievalNetwork(str(folder), PLAN.rank, PLAN.seed) for _ in range(2))
    a_trainer(first, tmp_path / "checkpoint", SHORT).fit(until=4)
    a_trainer(second, tmp_path / "checkpoint", replace(SHORT, steps=9)).fit(until=0)
    assert all(float(module.up.detach().abs().sum()) == 0 for _, module in second.changed())


def test_what_is_written_changes_the_packaged_encoder_as_the_network_was_changed(
    network: RetrievalNetwork, tmp_path: Path
) -> None:
    a_trainer(network, tmp_path / "checkpoint").fit(until=5)
    network.weaken(0.5)
    save_adapter(retriever.adapter_of(network), tmp_path / "adapter.safetensors", {})
    changes = load_adapter(tmp_path / "adapter.safetensors").changes()
    assert set(changes) == {f"{name}.weight" for name, _ in network.changed()}
    assert "encoder.layer.0.attention.self.query.weight" in changes
    for name, module in network.changed():
        expected = (module.up @ module.down).detach().numpy()
        assert changes[f"{name}.weight"] == pytest.approx(expected, abs=1e-3)
        assert np.abs(expected).max() > 0


def test_a_batch_has_the_near_documents_of_its_questions_and_never_counts_the_right_one_among_them(
    network: RetrievalNetwork,
) -> None:
    near = near_documents(network, retriever.tokenize(network, TEXTS))
    own = TEXTS.select("hard".__eq__)
    assert len(near) == len(own)
    for position, documents in zip(own, near, strict=True):
        assert documents
        assert TEXTS.pairs[position].document not in documents
    sampler = Sampler(TEXTS, near, PLAN)
    for step in range(10):
        batch = sampler.batch(step)
        assert batch == sampler.batch(step)
        assert [batch.documents[column] for column in batch.columns] == [TEXTS.pairs[p].document for p in batch.pairs]
        assert len(set(batch.documents)) == len(batch.documents)
        assert sampler.weights(batch) == [1.0] * 10 + [0.5] * 4 + [0.3] * 2


# Data


def test_only_questions_and_true_claims_are_learnt_from(data: Path) -> None:
    texts = read_training(data, ())
    own = [pair for pair in texts.pairs if pair.kind not in (PUBLIC, TITLE)]
    assert {pair.kind for pair in own} == {"easy", "supported close"}
    for pair in own:
        assert "sleep" not in pair.query
        assert any(word in texts.documents[pair.document] for word in pair.query.split() if word[-1].isdigit())


def test_papers_that_measure_are_never_learnt_from_not_even_as_an_excerpt_or_under_another_id(data: Path) -> None:
    dev = annotated(0)["sentences"]
    long = "It is a long sentence that only this measured abstract has, with many words."
    rest = "Another sentence of the same length stands beside it in public sets of questions."
    seed = "The abstract of a seed that the large collection of titles has as well, under its number."
    rows = [annotated(number) for number in range(1, 30)]
    rows.append({**annotated(0), "sentences": [*dev, long]})
    write(data / "judge" / "annotated.jsonl.gz", rows)
    question = {"question": "What is said of bees here?", "answerable": True, "answer": ""}
    write(
        data / "judge" / "qa" / "bioasq.jsonl.gz",
        [{**question, "context": f"{rest} {long.upper()}"}, {**question, "context": f"{rest} {rest}"}],
    )
    many = [
        {"id": f"m{n}", "title": f"Title {n}", "abstract": f"{'bee ' * 90}. {s}"} for n, s in enumerate((seed, rest))
    ]
    write(data / "ml_arxiv_2019" / "corpus.jsonl.gz", many)
    texts = read_training(data, [f"{rest[:30]} Then. {seed}"])
    assert not [document for document in texts.documents if long.casefold() in document.casefold() or seed in document]
    assert [pair.query for pair in texts.pairs if pair.kind == PUBLIC] == ["What is said of bees here?"]
    assert [pair.query for pair in texts.pairs if pair.kind == TITLE] == ["Title 1"]
    trained = {paper.id for paper in examples.training_abstracts(data)}
    measured = questions_about(examples.read_annotated(data))
    assert {text.part for text in measured} == {"dev", "test"}
    assert not trained & {paper for text in measured for paper in text.papers}
    assert not {pair.query for pair in texts.pairs} & {text.text for text in measured}


def test_a_set_that_is_missing_is_an_error_that_names_it(data: Path) -> None:
    (data / "judge" / "nli" / "fm2.jsonl.gz").unlink()
    with pytest.raises(InputError, match=r"fm2\.jsonl\.gz: cannot be read .*copy the data again"):
        read_training(data, ())


# Figures


def test_the_table_has_a_row_for_each_group_and_one_for_all_questions_of_one_paper(network: RetrievalNetwork) -> None:
    texts = (*COLLECTION.texts, SearchText("robots walk", ("p1", "p2"), "dev", "multi"))
    prepared = retrieval_measures.prepare(replace(COLLECTION, texts=texts), network.tokenizer, {"dev"})
    title, *rows = retrieval_measures.table("before", network, {"toy": prepared}, [{"toy": "dev"}]).splitlines()
    assert title.split() == ["before", "texts", "R@1", "R@5", "R@10", "nDCG@10"]
    assert [row.split()[:4] for row in rows] == [
        ["toy", "dev,", "hard", "5"],
        ["toy", "dev,", "multi", "1"],
        ["toy", "dev,", "all", "5"],
    ]
    assert rows[1].split()[5] == "1.000"  # all five papers are among the first five


def test_a_paper_without_words_is_ranked_by_the_other_scores() -> None:
    papers = EncodedPapers(torch.eye(2, 4), [torch.zeros(0, 4, dtype=torch.int8)] * 2)
    query = Encodings(torch.tensor([[0.0, 1.0, 0.0, 0.0]]), torch.zeros(1, 1, 4), torch.ones(1, 1))
    ranked: Callable[[list[float]], list[int]] = lambda shares: retrieval_measures.rank(  # noqa: E731
        papers, query, np.array(shares, dtype=np.float32)
    )
    assert ranked([0.0, 0.0]) == [1, 0]
    assert ranked([2.0, 0.0]) == [0, 1]
