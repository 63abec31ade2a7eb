"""The figures of the annotated abstracts, worked out by hand: strata of claims, style, intents and rewritten turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.schema import Strength, Verdict
from eval import measures, terminal
from eval.compare import compare
from eval.measures import Table
from eval.report import page
from eval.runs.records import ClaimRecord, IntentRecord, QuestionRecord, RewritingRecord
from tests.evaluation import answer_record, claim_record, question_record, run_of

SUPPORTED, CONTRADICTED, NOT_STATED = "supported", "contradicted", "not stated"


def stratum(name: str, label: str, wording: str, support: float, contradiction: float | None = None) -> ClaimRecord:
    """A claim that is judged supported from a support of 0.5."""
    return claim_record(
        name,
        label == SUPPORTED,
        Verdict.SUPPORTED if support >= 0.5 else Verdict.UNSUPPORTED,
        support,
        suite="abstracts-claims",
        group="entity",
        label=label,
        wording=wording,
        contradiction=contradiction,
    )


CLAIMS = (
    stratum("1", SUPPORTED, "close", 0.9),
    stratum("2", SUPPORTED, "paraphrased", 0.3),
    stratum("3", CONTRADICTED, "close", 0.6),
    stratum("4", CONTRADICTED, "paraphrased", 0.1),
    stratum("5", NOT_STATED, "paraphrased", 0.4),
)


def of_claims(*claims: ClaimRecord) -> Table:
    return measures.figures(claims)["abstracts-claims"]


def test_support_is_measured_overall_and_by_stratum() -> None:
    table = of_claims(*CLAIMS)
    assert {name: row["all"] for name, row in table.items() if name.startswith("ROC")} == pytest.approx(
        {
            "ROC AUC": 4 / 6,  # 0.9 above all three, 0.3 above one of them
            "ROC AUC, close": 1.0,
            "ROC AUC, paraphrased": 1 / 2,
            "ROC AUC, true paraphrase / close lie": 0.0,
            "ROC AUC, supported / contradicted": 3 / 4,
        }
    )


def test_verdicts_are_counted_by_label_and_by_label_and_wording() -> None:
    table = of_claims(*CLAIMS)
    assert table["accuracy"] == {
        "all": 3 / 5,
        SUPPORTED: 1 / 2,
        CONTRADICTED: 1 / 2,
        NOT_STATED: 1.0,
        "supported, close": 1.0,
        "supported, paraphrased": 0.0,
        "contradicted, close": 0.0,
        "contradicted, paraphrased": 1.0,
        "not stated, paraphrased": 1.0,
        "entity": 3 / 5,
    }
    assert table["true claims marked"]["all"] == 1 / 2


def test_a_stratum_with_one_label_has_no_area_under_the_curve() -> None:
    assert "ROC AUC, close" not in of_claims(CLAIMS[0], CLAIMS[1], CLAIMS[3])


def test_claims_without_labels_have_no_strata() -> None:
    table = measures.figures([claim_record("1", True), claim_record("2", False)])["claims"]
    assert [name for name in table if name.startswith("ROC")] == ["ROC AUC"]


def test_a_run_that_measures_no_contradiction_has_no_three_way_figures() -> None:
    assert not {"three-way accuracy", "ROC AUC of contradiction"} & of_claims(*CLAIMS).keys()


def test_with_contradiction_verdicts_are_compared_with_three_labels() -> None:
    table = of_claims(
        stratum("1", SUPPORTED, "close", 0.9, 0.1),
        stratum("2", CONTRADICTED, "close", 0.1, 0.8),
        stratum("3", NOT_STATED, "close", 0.1, 0.3),
    )
    assert table["three-way accuracy"]["all"] == pytest.approx(2 / 3)  # unsupported stands for not stated
    assert table["ROC AUC of contradiction"]["all"] == 1.0


# Trust


def asked(name: str, papers: str, confidence: float, style: float | None, suite: str) -> QuestionRecord:
    return question_record(name, papers, "a", answer_record(cited="a", confidence=confidence), suite=suite, style=style)


ANNOTATED = (
    asked("1", "a", 0.9, 0.8, "abstracts-questions"),
    asked("2", "a", 0.2, 0.7, "abstracts-questions"),
    asked("3", "", 0.5, 0.6, "abstracts-near"),
    asked("4", "", 0.1, 0.9, "abstracts-near"),
)


def test_beside_the_confidence_stands_what_the_wording_of_the_questions_alone_gives() -> None:
    table = measures.figures(ANNOTATED)["abstracts-trust"]
    assert table["ROC AUC of confidence"] == {"all": 3 / 4, measures.QUESTION_ALONE: 1 / 2}
    assert "question alone" in terminal.format_run(run_of(ANNOTATED))


def test_without_a_style_of_every_question_nothing_stands_beside_the_confidence() -> None:
    table = measures.figures([*ANNOTATED[1:], replace(ANNOTATED[0], style=None)])["abstracts-trust"]
    assert table["ROC AUC of confidence"].keys() == {"all"}


def test_rejected_near_misses_are_those_below_the_confidence_of_nearly_all_answerable_questions() -> None:
    answerable = [asked(f"a{number}", "a", 0.5 + number / 100, 0.5, "single") for number in range(40)]
    unanswerable = [
        asked(f"n{number}", "", confidence, 0.5, "unanswerable")
        for number, confidence in enumerate((0.1, 0.505, 0.515, 0.6))
    ]
    # Two of the forty may be refused: the threshold is the third lowest confidence, 0.52.
    table = measures.figures([*answerable, *unanswerable])["trust"]
    assert table["rejected at 5 % false refusals"]["all"] == 3 / 4


def test_the_seeds_and_the_abstracts_have_tables_of_trust_of_their_own() -> None:
    seeds = (asked("1", "a", 0.9, None, "single"), asked("2", "", 0.5, None, "unanswerable"))
    figures = measures.figures([*seeds, *ANNOTATED])
    assert figures["trust"]["ROC AUC of confidence"] == {"all": 1.0}
    assert figures["abstracts-trust"]["ROC AUC of confidence"]["all"] == 3 / 4


# Intents and rewritten turns


def intent(name: str, group: str, research: bool, treated: bool | None, predicted: str | None = None) -> IntentRecord:
    return IntentRecord(name, "abstracts-intents", "dev", group, f"{name}?", research, treated, predicted)


def test_intents_are_measured_by_research_against_the_rest_and_by_class() -> None:
    messages = (
        intent("1", "fact", True, True, "fact"),
        intent("2", "fact", True, False, "noise"),
        intent("3", "noise", False, False, "noise"),
        intent("4", "noise", False, None),
    )
    table = measures.figures(messages)["abstracts-intents"]
    assert table["research recognised"] == {"all": 1 / 2, "fact": 1 / 2, "noise": 1 / 2}
    assert table["intent accuracy"] == {"all": pytest.approx(2 / 3), "fact": 1 / 2, "noise": 1.0}


def rewritten(name: str, group: str, standalone: str, is_follow_up: bool, retrieved: str) -> RewritingRecord:
    return RewritingRecord(
        name,
        "abstracts-dialogs",
        "dev",
        group,
        "and on sand?",
        "robots on sand",
        group in ("history", "return"),
        standalone,
        is_follow_up,
        tuple(retrieved),
        tuple("abcdefg"),
    )


def test_rewritten_turns_are_measured_by_detection_words_and_papers() -> None:
    turns = (
        rewritten("1", "history", "Robots on sand", True, "abcde"),
        rewritten("2", "new", "and on sand?", True, "fgxyz"),
    )
    table = measures.figures(turns)["abstracts-dialogs"]
    assert table["follow-up recognised"] == {"all": 1 / 2, "history": 1.0, "new": 0.0}
    assert table["word F1 of standalone"]["new"] == pytest.approx(2 * 2 / 6)
    assert table["same papers in top 5"] == {"all": 1 / 2, "history": 1.0, "new": 0.0}


def test_a_failed_turn_counts_as_zero() -> None:
    failed = replace(rewritten("1", "history", "", True, ""), is_follow_up=None, expected=(), error="gone")
    table = measures.figures([failed])["abstracts-dialogs"]
    assert {name: row["all"] for name, row in table.items()} == {
        "follow-up recognised": 0.0,
        "word F1 of standalone": 0.0,
        "same papers in top 5": 0.0,
    }


# Tables, comparisons, pages


def test_a_table_with_many_groups_has_them_as_rows() -> None:
    table = {
        "accuracy": {"all": 0.5, "dev": 0.4} | {f"kind {number}": 0.1 for number in range(20)},
        "AUC": {"all": 1.0},
    }
    blocks = measures.blocks("claims", table)
    assert blocks["claims"] == {"accuracy": {"all": 0.5, "dev": 0.4}, "AUC": {"all": 1.0}}
    assert blocks["claims, by group"]["kind 7"] == {"accuracy": 0.1}
    assert len(blocks["claims, by group"]) == 20


def test_a_comparison_has_the_groups_of_the_measures_that_questions_pass() -> None:
    better = [replace(claim, verdict=Verdict.UNSUPPORTED) if claim.id == "3" else claim for claim in CLAIMS]
    rows = compare(run_of(CLAIMS, "before"), run_of(better, "after")).differences
    accuracies = {row.group: row.after - row.before for row in rows if row.measure == "accuracy"}
    assert accuracies["all"] == pytest.approx(1 / 5)
    assert accuracies["contradicted, close"] == 1.0
    assert accuracies["supported, close"] == 0.0
    assert {row.measure for row in rows if row.group != "all"} == {"accuracy"}


def test_a_page_has_strata_and_turns_of_all_kinds() -> None:
    records = (
        *CLAIMS,
        *ANNOTATED,
        intent("5", "noise", False, True),
        rewritten("6", "history", "sand", False, "x"),
        question_record("7", "", "", answer_record(Strength.NONE), suite="abstracts-near"),
    )
    shown = page([run_of(records)])
    assert "accuracy, contradicted, close" in shown
    assert "taken for a follow-up, or not, by mistake" in shown
    assert "taken for research, or not, by mistake" in shown
