"""Figures computed from records, 0 to 1 unless their name has a unit.

Most measures are means over questions and have a value for every question that they apply to (`values`). The measures
of calibration are computed from all questions together (`JointMeasure`). A question without results, or one that
failed, scores zero and counts.
"""

from eval.measures.calibration import (
    TRUST,
    JointMeasure,
    confidences,
    reliability,
    risk_coverage,
    roc_auc,
    support_measures,
    trust_families,
    trust_measures,
)
from eval.measures.conformal import firm_risks
from eval.measures.costs import COST_MEASURES, costs, price, tokens
from eval.measures.ranking import RANKING, ranking
from eval.measures.tables import LOWER_IS_BETTER, QUESTION_ALONE, Table, Values, blocks, figures, groups, values

__all__ = [
    "COST_MEASURES",
    "LOWER_IS_BETTER",
    "QUESTION_ALONE",
    "RANKING",
    "TRUST",
    "JointMeasure",
    "Table",
    "Values",
    "blocks",
    "confidences",
    "costs",
    "figures",
    "firm_risks",
    "groups",
    "price",
    "ranking",
    "reliability",
    "risk_coverage",
    "roc_auc",
    "support_measures",
    "tokens",
    "trust_families",
    "trust_measures",
    "values",
]
