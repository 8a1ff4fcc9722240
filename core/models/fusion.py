"""Late fusion: one model a modality, their answers joined by what each is worth.

Each branch's variance is calibrated, and the correlation of the branches' errors measured, on
the labelled galaxies that chose the epochs of all of them and were fitted by none. Unless told
otherwise, a target is estimated together with the redshift by generalised least squares: a branch that is
wrong about the redshift is wrong about the luminosity too, so a better redshift from another branch corrects it.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from core.columns import MODALITIES
from core.errors import BadInput
from core.models.base import Model, require_labels
from core.models.joint_errors import JointErrors, calibrated, combine
from core.models.options import option
from core.models.prediction import Inputs, Labels, Prediction
from core.training.holdout import carve, held_share
from core.training.session import Session, Stages
from core.training.standard import Standard, standard_of

MEASURED = ("scale_jt", "pair_t4", "covariance_tjj", "factor_t")
"""What of `JointErrors` is kept with the model, in order."""
SAMPLES = 8
"""Draws of the joint mean; each costs as much as joining the answers once."""
BRANCHES = ("image_bayesian_cnn", "spectrum_cnn", "photometry_mlp")


class FusionLate(Model):
    """The model ``fusion_late`` of the registry.

    Parameters
    ----------
    epochs : of every branch; 0 = each chooses. reuse : a job may take branches from runs that saw the
        same labels with the same seed (see `adopt`). how : see `core.models.joint_errors.combine`.
    branches : registry names of models with one modality each.
    """

    def __init__(self, epochs: int = 0, reuse: bool = True, how: str = "joint", branches: tuple[str, ...] = BRANCHES):
        from core.models.registry import build, spec

        self._how = option("how", how, "model fusion_late")
        self._configs = {name: {"epochs": epochs} if epochs and "epochs" in spec(name).config else {} for name in branches}
        self._models: dict[str, Model] = {name: build(name, config) for name, config in self._configs.items()}
        self._adopted: set[str] = set()
        self.reuse = reuse
        self.device = "+".join(sorted({m.device for m in self._models.values()}))
        self.precision = "+".join(sorted({m.precision for m in self._models.values()}))
        self._standard: Standard | None = None
        self._errors: JointErrors | None = None
        self._scale_of: dict[str, np.ndarray] = {}

    @property
    def branches(self) -> dict[str, Model]:
        """The models that are joined, by registry name."""
        return dict(self._models)

    def branch_config(self, name: str) -> dict:
        """The settings of a branch that differ from its defaults."""
        return self._configs[name]

    def adopt(self, fitted: Mapping[str, Model]) -> None:
        """Take branches that are fitted already, to the same labels with the same seed, instead of fitting them again."""
        unknown = set(fitted) - set(self._models)
        if unknown:
            raise BadInput("branch", f"be one of {', '.join(self._models)}", ", ".join(sorted(unknown)), "model fusion_late", "Remove it")
        self._models |= dict(fitted)
        self._adopted |= set(fitted)

    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        require_labels(labels)
        self._standard = standard_of(labels)
        has_label = np.isfinite(labels.values_nt).any(axis=1)
        self._models = {n: m for n, m in self._models.items() if (inputs.present.get(m.modalities[0], np.zeros(1, bool))[: len(has_label)] & has_label).any()}
        if not self._models:
            raise BadInput("labels", f"cover a galaxy with {', '.join(MODALITIES)}", "none", f"{len(inputs)} galaxies", "Label galaxies that have one of them")
        stages = Stages(session, len(set(self._models) - self._adopted))
        for name, model in self._models.items():
            if name not in self._adopted:
                stages.run(name, partial(model.fit, inputs, labels), model.state, model.load_state)
        self._weigh(inputs, labels, carve(labels.group_n, held_share(len(labels.group_n)), session.seed))

    def _weigh(self, inputs: Inputs, labels: Labels, held_n: np.ndarray) -> None:
        """Measure the branches' errors where none was fitted, and the spread of their features where any was."""
        held, answers = inputs[held_n], []
        for name, model in self._models.items():
            answer = model.predict(held)
            answers.append(_masked(answer, held.present[model.modalities[0]]))
            self._scale_of[name] = np.maximum(model.predict(inputs[~held_n][:256]).features_nd.std(axis=0), 1e-6)
        mean, aleatoric, epistemic = (np.stack(parts) for parts in zip(*answers, strict=True))
        self._errors = calibrated(mean, aleatoric, epistemic, labels.values_nt[held_n], self._z_column, self._how)

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        answers, seen, features = [], [], []
        for name, model in self._models.items():
            answers.append(model.predict(inputs, rng))
            seen.append(_masked(answers[-1], inputs.present.get(model.modalities[0], np.zeros(len(inputs), dtype=bool))))
            features.append(answers[-1].features_nd / self._scale_of[name] / np.sqrt(answers[-1].features_nd.shape[1]))
        mean_jnt, *variances = (np.stack(parts) for parts in zip(*seen, strict=True))
        mean, aleatoric, epistemic = combine(mean_jnt, *variances, self._errors, self._how)
        unseen = ~np.isfinite(mean) & self._standard.is_labelled_t
        mean, scale2 = np.where(unseen, self._standard.centre_t, mean), self._standard.scale_t**2
        aleatoric, epistemic = np.where(unseen, scale2, aleatoric), np.where(unseen, scale2, epistemic)
        drawn = self._drawn(answers, np.where(np.isfinite(mean_jnt), 0.0, np.nan), variances)
        samples = None if drawn is None else mean + np.sqrt(epistemic) * drawn
        return Prediction(mean, aleatoric, epistemic, samples, np.hstack(features), self._standard.targets)

    def _drawn(self, answers: list[Prediction], gone_jnt: np.ndarray, variances: list[np.ndarray]) -> np.ndarray | None:
        """Joint answers made of one sample of each branch, `SAMPLES` of them, with mean 0 and variance 1; None where a branch has none."""
        if any(answer.samples_mnt is None for answer in answers):
            return None
        sampled = (np.stack([a.samples_mnt[m % len(a.samples_mnt)] for a in answers]) for m in range(SAMPLES))
        drawn = np.stack([combine(sample_jnt + gone_jnt, *variances, self._errors, self._how)[0] for sample_jnt in sampled])
        away = drawn - drawn.mean(axis=0)
        spread = away.std(axis=0)
        return np.divide(away, spread, out=np.zeros_like(away), where=spread > 0)

    def state(self) -> dict[str, np.ndarray]:
        state = {f"{n}/{k}": v for n, m in self._models.items() for k, v in m.state().items()}
        state |= {f"scale/{n}": v for n, v in self._scale_of.items()}
        return state | self._standard.state() | {f"errors/{name}": getattr(self._errors, name) for name in MEASURED}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self._standard = Standard.of_state(state)
        self._scale_of = {k.removeprefix("scale/"): v for k, v in state.items() if k.startswith("scale/")}
        self._models = {n: m for n, m in self._models.items() if n in self._scale_of}
        for name, model in self._models.items():
            model.load_state({k.removeprefix(f"{name}/"): v for k, v in state.items() if k.startswith(f"{name}/")})
        self._errors = JointErrors(*(state[f"errors/{name}"] for name in MEASURED), self._z_column)

    @property
    def _z_column(self) -> int | None:
        targets, labelled = self._standard.targets, self._standard.is_labelled_t
        return targets.index("z") if "z" in targets and labelled[targets.index("z")] else None


def _masked(answer: Prediction, present_n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """mean, aleatoric and epistemic with NaN where the branch has not seen the galaxy."""
    gone = np.where(present_n, 0.0, np.nan)[:, None]
    return answer.mean + gone, answer.aleatoric + gone, answer.epistemic + gone
