"""What a map is made of: model inputs as features, on one scale."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from core.errors import BadInput

COMPONENTS = 50
POOL, BIN = 4, 10


def summary(modality: str, inputs: np.ndarray) -> np.ndarray:
    """Model inputs of one modality as one row of features a galaxy, small enough to keep for all of them.

    Parameters
    ----------
    modality : ``image``: (n, b, h, h), averaged over 4 x 4 pixels, then mean and spread over the eight
        symmetries of the square, so that a galaxy turned by 90 degrees or mirrored is the same galaxy.
        ``spectrum``: (n, c, p), averaged over 10 pixels. Any other: taken as it is, flattened.

    Returns
    -------
    float32 (n, d).
    """
    inputs = np.asarray(inputs, np.float32)
    if modality == "image":
        return _symmetric(inputs)
    if modality == "spectrum":
        n, channels, pixels = inputs.shape
        return inputs[..., : pixels - pixels % BIN].reshape(n, channels, -1, BIN).mean(axis=-1).reshape(n, -1)
    return inputs.reshape(len(inputs), -1)


@dataclass(frozen=True)
class Axes:
    """Leading principal components of standardised features, kept so that later galaxies get the same ones.

    Attributes
    ----------
    varies_d : bool (d,), features with variance; the rest say nothing. mean, spread : float32 (v,), of those.
    vectors : float32 (v, k).
    """

    varies_d: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    vectors: np.ndarray

    def of(self, features_nd: np.ndarray) -> np.ndarray:
        """Components of galaxies, float32 (n, k). Raises `BadInput` for NaN or inf."""
        rows = _finite(features_nd)[:, self.varies_d]
        return (((rows - self.mean) / self.spread) @ self.vectors).astype(np.float32)

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The four arrays under names that begin with ``prefix``, to be stored."""
        return {f"{prefix}.{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> "Axes":
        """What `arrays` gave."""
        return cls(*(arrays[f"{prefix}.{field.name}"] for field in fields(cls)))


def axes_of(features_nd: np.ndarray, most: int = COMPONENTS, seed: int = 0) -> Axes:
    """The axes of features (n, d); at least one, which is 0 when nothing varies. Raises `BadInput` for NaN or inf."""
    from sklearn.decomposition import PCA

    features_nd = _finite(features_nd)
    spread = features_nd.std(axis=0)
    varies = spread > 0
    mean = features_nd[:, varies].mean(axis=0)
    standard = (features_nd[:, varies] - mean) / spread[varies]
    count = min(most, *standard.shape)
    if count == 0:
        return Axes(varies, mean, spread[varies], np.zeros((int(varies.sum()), 1), np.float32))
    solver = "randomized" if count < 0.8 * min(standard.shape) else "full"
    fit = PCA(count, svd_solver=solver, random_state=seed).fit(standard)
    return Axes(varies, mean, spread[varies], fit.components_.T.astype(np.float32))


def components(features_nd: np.ndarray, most: int = COMPONENTS, seed: int = 0) -> np.ndarray:
    """Standardise each feature and keep the leading principal components, float32 (n, <= most)."""
    return axes_of(features_nd, most, seed).of(features_nd)


def scales(parts: list[np.ndarray]) -> list[float]:
    """What to multiply sets of features by so that each has the same total variance."""
    total = [float(np.sqrt(p.var(axis=0).sum())) for p in parts]
    return [1 / t if t > 0 else 1.0 for t in total]


def fused(parts: list[np.ndarray]) -> np.ndarray:
    """Several sets of features side by side, each set with the same total variance: no modality outvotes another."""
    return np.hstack([p * s for p, s in zip(parts, scales(parts), strict=True)]).astype(np.float32)


def _finite(features_nd: np.ndarray) -> np.ndarray:
    features_nd = np.asarray(features_nd, np.float32).reshape(len(features_nd), -1)
    if not np.isfinite(features_nd).all():
        bad = np.flatnonzero(~np.isfinite(features_nd).all(axis=1))
        raise BadInput("Features of a map", "be finite", f"NaN or inf in {len(bad)} rows", f"row {bad[0]} first", "Leave those galaxies out")
    return features_nd


def _symmetric(images: np.ndarray) -> np.ndarray:
    n, bands, size, _ = images.shape
    side = size // POOL
    small = images[..., : side * POOL, : side * POOL].reshape(n, bands, side, POOL, side, POOL).mean(axis=(3, 5))
    turned = [np.rot90(flipped, k, axes=(2, 3)) for flipped in (small, small[..., ::-1]) for k in range(4)]
    mean = np.mean(turned, axis=0)
    spread = np.sqrt(np.mean([(t - mean) ** 2 for t in turned], axis=0))
    row, column = np.triu_indices(-(-side // 2))
    return np.stack([mean, spread], axis=1)[..., row, column].reshape(n, -1)
