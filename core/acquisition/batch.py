"""From a strategy to a batch: its picks, a random control slice, and how far each is from a label."""

from dataclasses import dataclass, replace

import numpy as np

from core.acquisition.candidates import Candidates, Strategy, check_size
from core.acquisition.distances import nearest
from core.acquisition.strangers import STRANGE, rationed
from core.errors import BadInput


@dataclass(frozen=True)
class Batch:
    """k galaxies in rank order.

    Attributes
    ----------
    indices : int (k,) rows of the pool. scores : float (k,), what the strategy scored (NaN in the control slice).
    reasons : k sentences. control : bool (k,), drawn at random whatever the strategy says.
    distances : float (k,) to the nearest labelled galaxy in feature space, NaN when that is not known.
    """

    indices: np.ndarray
    scores: np.ndarray
    reasons: list[str]
    control: np.ndarray
    distances: np.ndarray


def compose(strategy: Strategy, candidates: Candidates, size: int, rng: np.random.Generator, control_share: float = 0.1, strange_share: float = STRANGE) -> Batch:
    """A batch of ``size`` galaxies of which a share is drawn at random from the same pool.

    The control slice gives the learning curve an honest baseline, and labels that calibration may use.
    It is drawn first, counts as covered for the strategy, and lies at random ranks: a batch that is
    left half done still holds its share. Of the pool's strangest the rest holds as many as a random batch
    would, where it is known who that is and the strategy does not look for them. Raises `BadInput` as `Strategy.select` does.

    Parameters
    ----------
    control_share : 0 to 1; rounded, at least one galaxy when above 0.
    strange_share : 0 to 1, of the pool, by novelty (`core.acquisition.strangers`); 0 = the strategy chooses freely.
    """
    if not 0 <= control_share <= 1:
        raise BadInput("The control share", "be from 0 to 1", control_share, strategy.name, "Choose a share in that range")
    check_size(int(candidates.allowed_p.sum()), size, strategy.name)
    wanted = min(size, max(round(size * control_share), int(control_share > 0)))
    control = rng.permutation(np.flatnonzero(candidates.allowed_p))[:wanted]
    indices, scores, reasons = control, np.full(wanted, np.nan), ["Random control: drawn without looking at any model"] * wanted
    if size > wanted:
        picks = strategy.select(_rationed(strategy, _with_labelled(candidates, control), size - wanted, strange_share, rng), size - wanted, rng)
        indices, scores = np.concatenate([picks.indices, control]), np.concatenate([picks.scores, scores])
        reasons = picks.reasons + reasons
    order = _interleave(len(indices) - wanted, wanted, rng)
    batch = Batch(indices[order], scores[order], [reasons[i] for i in order], order >= len(indices) - wanted, np.full(len(order), np.nan))
    return replace(batch, distances=_distances(candidates, batch.indices))


def fill_up(strategy: Strategy, candidates: Candidates, kept: np.ndarray, barred: np.ndarray, size: int, rng: np.random.Generator, control: int = 0,
            strange_share: float = STRANGE) -> Batch:
    """``size`` further galaxies for a batch that somebody has thinned out, ``control`` of them drawn at random.

    Parameters
    ----------
    kept : int, rows of the pool that are in the batch: they count as labelled for the strategy. barred : rows that are not asked about. strange_share : as for `compose`.
    """
    left = _with_labelled(candidates, kept)
    allowed_p = left.allowed_p.copy()
    allowed_p[barred] = False
    batch = compose(strategy, replace(left, allowed_p=allowed_p), size, rng, control / size, strange_share)
    return replace(batch, distances=_distances(candidates, batch.indices))


def _with_labelled(candidates: Candidates, rows: np.ndarray) -> Candidates:
    """The same candidates after ``rows`` have been asked: no longer allowed, and counted among the labelled."""
    if not len(rows):
        return candidates
    allowed = candidates.allowed_p.copy()
    allowed[rows] = False
    joined = {}
    for pool, labelled in (("features_pd", "labelled_ld"), ("aleatoric_pt", "labelled_aleatoric_lt")):
        here, there = getattr(candidates, pool), getattr(candidates, labelled)
        if here is not None:
            joined[labelled] = here[rows] if there is None else np.concatenate([there, here[rows]])
    return replace(candidates, allowed_p=allowed, **joined)


def _rationed(strategy: Strategy, candidates: Candidates, size: int, share: float, rng: np.random.Generator) -> Candidates:
    if not strategy.is_rationed or candidates.novelty_p is None or not share:
        return candidates
    return replace(candidates, allowed_p=rationed(candidates.novelty_p, candidates.allowed_p, size, rng, share))


def _interleave(picks: int, control: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of picks (0..) in their own order, with the control rows (after them) at random places."""
    order = np.empty(picks + control, int)
    is_control = np.zeros(picks + control, bool)
    is_control[rng.permutation(picks + control)[:control]] = True
    order[~is_control], order[is_control] = np.arange(picks), np.arange(picks, picks + control)
    return order


def _distances(candidates: Candidates, rows: np.ndarray) -> np.ndarray:
    if candidates.features_pd is None or candidates.labelled_ld is None or not len(candidates.labelled_ld):
        return np.full(len(rows), np.nan)
    return np.sqrt(nearest(candidates.features_pd[rows], candidates.labelled_ld)[0])
