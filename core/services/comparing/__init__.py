"""Which model to trust, and where: runs side by side, predictions against truth, error bars, cost, modalities."""

from core.services.comparing.cost import pareto
from core.services.comparing.error_bars import Calibration, by_sn, calibration, joint
from core.services.comparing.finished import READS, SUBSETS, Comparison, comparison
from core.services.comparing.held_out import AGAINST, binned, predicted_and_true, targets
from core.services.comparing.measures import COSTS, METRICS, Metric, badness, best, shown
from core.services.comparing.modality_use import over_training, rates, verdicts
from core.services.comparing.pair import Gain, difference, gain, metrics_that_differ, settings_that_differ
from core.services.comparing.side_by_side import compared, joined, separate
from core.services.comparing.stretched import stretched_scores

__all__ = [
    "AGAINST", "COSTS", "METRICS", "READS", "SUBSETS", "Calibration", "Comparison", "Gain", "Metric", "badness", "best", "binned", "by_sn", "calibration", "compared", "comparison",
    "difference", "gain", "joined", "joint", "metrics_that_differ", "over_training", "pareto", "predicted_and_true", "rates", "separate", "settings_that_differ", "shown", "stretched_scores", "targets", "verdicts",
]
