"""Choose a threshold of confidence with a guarantee on new questions, by split conformal calibration.

Learn then Test: Angelopoulos, Bates, Candes, Jordan and Lei 2021, "Learn then test: calibrating predictive algorithms
to achieve risk control", with the test of selective classification in Angelopoulos and Bates 2021, "A gentle
introduction to conformal prediction and distribution-free uncertainty quantification". The share of wrong answers among
those above a threshold need not fall as the threshold rises, so conformal risk control (Angelopoulos, Bates, Fisch, Lei
and Schuster 2022), which needs a monotone loss and bounds only its expectation, does not apply.

The guarantee holds for questions drawn as those of the calibration were, which no weight or threshold was fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import binom

from assistant.answering.firm_risk import RiskThreshold
from eval.measures.calibration import Array, confidences, trust_families
from eval.runs.records import Record

MAX_RISK = 0.05
CERTAINTY = 0.9
# The candidates, fixed before any answer is seen, from the strictest on.
_CANDIDATES = np.arange(100, -1, -1) / 100


def risk_threshold(
    confidence: Array, correct: Array, max_risk: float = MAX_RISK, certainty: float = CERTAINTY
) -> RiskThreshold:
    """Return the lowest threshold whose answers are wrong in at most `max_risk` of the cases, with this certainty.

    `confidence` and `correct` (1 or 0) have one entry per question. The candidates are tested in a fixed order, from
    the strictest one with enough answers down to the first that fails, so that no correction for several tests is
    needed. The threshold is None if the first one fails already, or if there are too few answers.
    """
    passed = None
    for threshold in _CANDIDATES:
        reached = confidence >= threshold
        answers = int(reached.sum())
        if answers < fewest_answers(max_risk, certainty):
            continue
        if p_value(answers, int((correct[reached] == 0).sum()), max_risk) > 1 - certainty:
            break
        passed = float(threshold), answers
    chosen, answers = passed or (None, 0)
    return RiskThreshold(chosen, max_risk, certainty, answers, len(confidence))


def firm_risks(records: Sequence[Record]) -> dict[str, RiskThreshold]:
    """Return the threshold for each table of trust with answerable and unanswerable questions."""
    columns = {name: confidences(members) for name, members in trust_families(records).items()}
    return {
        name: risk_threshold(confidence, correct)
        for name, (confidence, correct, answerable) in columns.items()
        if len(set(answerable)) == 2
    }


def p_value(answers: int, wrong: int, risk: float) -> float:
    """Return the probability of at most this many wrong answers if each is wrong with probability `risk`."""
    return float(binom.cdf(wrong, answers, risk))


def fewest_answers(max_risk: float, certainty: float) -> int:
    """Return how many answers, all of them right, it takes to show that the risk is at most `max_risk`."""
    return math.ceil(math.log(1 - certainty) / math.log(1 - max_risk))
