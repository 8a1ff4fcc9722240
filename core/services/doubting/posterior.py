"""What a model says of one galaxy, as a distribution and in words; and what is known of the galaxy besides."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.columns import SFR_TARGETS
from core.errors import NotFound
from core.services import exploring, labelling
from core.services.doubting.everyone import Everyone
from core.store import Workspace, labels, objects, truth

LEVELS = ("68", "95")
SHARES = ((0.05, "hardly any"), (0.25, "a quarter"), (1 / 3, "a third"), (0.5, "half"), (2 / 3, "two thirds"), (0.75, "three quarters"), (0.9, "nine tenths"),
          (1.0, "nearly all"))
MIDDLES = ("sfr_tot_avg", "sfr_tot_median", "sfr_tot_mode")
"""Statistics that half the width of the 68 % is an error of."""
REACH = 4.0
"""Standard deviations that a drawn distribution reaches to both sides."""
POINTS = 241


@dataclass(frozen=True)
class Posterior:
    """What a run says of one target of one galaxy.

    Attributes
    ----------
    run_id, object_id, target : whose word about what. key : the galaxy's.
    mean, noise, ignorance : of the Gaussian, standard deviations. half : level of `LEVELS` -> half-width of the stretched interval, NaN = not calibrated.
    below : share of all galaxies about which the run is surer. sn, magnitude, novelty : NaN = unknown.
    """

    run_id: int
    object_id: int
    target: str
    key: str
    mean: float
    noise: float
    ignorance: float
    half: dict[str, float]
    below: float
    sn: float
    magnitude: float
    novelty: float

    @property
    def sigma(self) -> float:
        """Total standard deviation as the run states it."""
        return float(np.hypot(self.noise, self.ignorance))

    @property
    def share_of_noise(self) -> float:
        """How much of the variance is noise, 0 to 1; NaN for a run that is sure of everything."""
        return self.noise**2 / self.sigma**2 if self.sigma > 0 else float("nan")

    @property
    def sentence(self) -> str:
        """What the run says, how sure it is, and whether labels could change that."""
        half = self.half["68"]
        calibrated = np.isfinite(half)
        spread = half if calibrated else self.sigma
        meant = "68 %, calibrated" if calibrated else "1 σ as stated, not calibrated"
        said = f"The model says {self.target} = **{figures(self.mean, spread)} ± {figures(spread, spread)}** ({meant})."
        return f"{said} {self._why}The model is surer of {self.below:.0%} of all galaxies."

    @property
    def _why(self) -> str:
        if not self.noise > 0 or not self.ignorance > 0:
            return "This model does not tell noise from ignorance. "
        word = in_words(self.share_of_noise)
        rest = "the rest is ignorance, which labels of its like take away" if self.share_of_noise < 0.97 else "labels would change little"
        return f"{word[0].upper()}{word[1:]} of that variance is noise, which no label takes away; {rest}. "


def posterior(everyone: Everyone, target: str, object_id: int) -> Posterior:
    """What a run says of a galaxy; raises `NotFound` when it says nothing of it."""
    table, row = everyone.table, _row(everyone, object_id)
    noise_n, ignorance_n, column = everyone.noise(target), everyone.ignorance(target), table.column(target)
    if not np.isfinite(table.mean[row, column]):
        raise NotFound(f"Run {table.run_id} says nothing of {target} of {table.key[row]}. Choose another run or another target.")
    sigma_n = np.hypot(noise_n, ignorance_n)
    known = np.isfinite(sigma_n)
    half = {level: float(sigma_n[row] * everyone.stretches.half_width(target, level, table.sn[[row]])[0]) for level in LEVELS}
    below = float((sigma_n[known] < sigma_n[row]).mean())
    return Posterior(table.run_id, int(object_id), target, str(table.key[row]), float(table.mean[row, column]), float(noise_n[row]), float(ignorance_n[row]),
                     half, below,
                     float(table.sn[row]), float(everyone.magnitude[row]), float(table.novelty[row]))  # fmt: skip


def density(mean: float, sigma: float, x_k: np.ndarray) -> np.ndarray:
    """Gaussian density over x, (k,); 0 everywhere without a spread.

    >>> density(0.0, 1.0, np.array([0.0])).round(4).tolist()
    [0.3989]
    """
    return np.exp(-0.5 * ((x_k - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi)) if sigma > 0 else np.zeros(len(x_k))


def reach(said: list[Posterior]) -> np.ndarray:
    """Values over which several distributions are drawn, float (POINTS,)."""
    widths = [REACH * p.sigma for p in said]
    stretched = [p.half["95"] * 1.15 if np.isfinite(p.half["95"]) else 0.0 for p in said]
    low = min(p.mean - max(w, s) for p, w, s in zip(said, widths, stretched, strict=True))
    high = max(p.mean + max(w, s) for p, w, s in zip(said, widths, stretched, strict=True))
    return np.linspace(low, high, POINTS) if high > low else np.linspace(low - 1, high + 1, POINTS)


def figures(value: float, spread: float) -> str:
    """A value to two significant digits of its spread.

    >>> figures(0.21316, 0.0142), figures(0.0142, 0.0142), figures(12.3, 40.0), figures(0.5, 0.0)
    ('0.213', '0.014', '12', '0.5')
    """
    if not spread > 0 or not np.isfinite(spread):
        return f"{value:.4g}"
    return f"{value:.{max(0, 1 - int(np.floor(np.log10(spread))))}f}"


def in_words(share: float) -> str:
    """A share, 0 to 1, as people say it.

    >>> in_words(0.68), in_words(0.02), in_words(0.97)
    ('two thirds', 'hardly any', 'nearly all')
    """
    return min(SHARES, key=lambda pair: abs(pair[0] - share))[1]


def find(ws: Workspace, everyone: Everyone, text: str) -> int:
    """The galaxy that a number, a key or a part of a key names; raises `NotFound`."""
    asked = text.strip()
    if asked.isdigit() and asked[0] != "0" and int(asked) in everyone.table.object_ids:
        return int(asked)
    found = [i for i in objects.find(ws, asked) if i in everyone.table.object_ids] if asked else []
    if not found:
        raise NotFound(f"There is no galaxy named {asked} among those that run {everyone.table.run_id} has predicted. Type its key or its number.")
    return found[0]


def known(ws: Workspace, object_id: int, target: str, annotator: str, is_revealed: bool) -> pd.DataFrame:
    """What is known of a target of a galaxy besides the model's word.

    One's own label always; others' labels, the catalogue's value and what the spectrum tells by itself only when they are asked for. Of
    a galaxy that is shared out, and that this person has not decided on yet, nobody else's label is told.

    Returns
    -------
    what, who, value, sigma (NaN = not stated).
    """
    table = labels.current(ws, object_ids=[object_id])
    table = table[(table["target"] == target) & (table["action"] == "label")]
    is_blind = labelling.is_blind(ws, object_id, annotator)
    shown = table[(table["annotator"] == annotator) | (is_revealed and not is_blind)]
    rows = [("label", str(r.annotator), float(r.value), _number(r.sigma)) for r in shown.itertuples()]
    if is_revealed:
        held = truth.frame(ws, [object_id]).query("target == @target")
        rows += [("catalogue", str(r.source), float(r.value), _number(r.sigma)) for r in held.itertuples()]
        rows += _measured(ws, object_id, target)
    return pd.DataFrame(rows, columns=["what", "who", "value", "sigma"])


def _measured(ws: Workspace, object_id: int, target: str) -> list[tuple[str, str, float, float]]:
    """What the spectrum tells by itself: the redshift that template fits find, and the star formation at that redshift."""
    fits = labelling.template_fit(ws, object_id)["candidates"] if target in ("z", *SFR_TARGETS) else []
    if not fits:
        return []
    if target == "z":
        return [("spectrum", f"template fit, {fits[0]['name']}", float(fits[0]["z"]), float(fits[0]["error"]))]
    rate = labelling.measured_sfr(ws, object_id, fits[0]["z"])["values"]
    half = (rate["sfr_tot_p84"] - rate["sfr_tot_p16"]) / 2 if target in MIDDLES and {"sfr_tot_p16", "sfr_tot_p84"} <= set(rate) else float("nan")
    return [("spectrum", f"as measured at z {fits[0]['z']:.4f}", float(rate[target]), half)] if rate.get(target) is not None else []


def _number(value: object) -> float:
    return float("nan") if value is None else float(value)


def _row(everyone: Everyone, object_id: int) -> int:
    row = int(exploring.rows_of(everyone.table.object_ids, np.array([object_id], np.int64))[0])
    if row < 0:
        raise NotFound(f"Run {everyone.table.run_id} says nothing of object {object_id}. Choose another run or another galaxy.")
    return row
