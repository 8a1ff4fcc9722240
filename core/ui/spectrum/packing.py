"""What goes to the desk's component: a JSON header, then arrays that it points into, as one run of bytes.

JSON would make a spectrum of 4,620 pixels eight times as large and hold up the browser while it is read.
"""

import json
import struct

import numpy as np

from core.preprocess.spectrum import STEP
from core.spectroscopy.basis import Basis
from core.spectroscopy.curve import Chi2Curve
from core.spectroscopy.redshift import COEFFICIENT_COST

_KINDS = {"u1": "<u1", "f2": "<f2", "f4": "<f4"}
_TOP = 1000.0
"""Half floats keep three digits between 6e-5 and 65,504; fluxes are scaled to reach this."""
_MOST = 6e4


class Packer:
    """Collects arrays; `bytes` puts the header before them."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def put(self, array: np.ndarray, kind: str = "f2") -> dict:
        """Add an array (as uint8 ``u1``, half floats ``f2`` or floats ``f4``) and return the header's pointer to it."""
        data = np.ascontiguousarray(array, _KINDS[kind]).tobytes()
        pointer = {"$": [self._length, array.size, kind]}
        self._parts.append(data + bytes(-len(data) % 4))
        self._length += len(self._parts[-1])
        return pointer

    def bytes(self, header: dict) -> bytes:
        """Length of the header (uint32, little endian), the header padded to four bytes, the arrays."""
        text = json.dumps(header, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        return struct.pack("<I", len(text)) + text + b"".join(self._parts)


def pack_object(packer: Packer, desk: dict) -> dict:
    """An object of `core.services.labelling.desks` with its arrays in ``packer``.

    The spectrum becomes flux and sigma over ``scale``; sigma is infinite where ivar is 0.
    """
    plain = {k: v for k, v in desk.items() if k not in ("spectrum", "composite", "bands", "neighbours")}
    pictures = {k: _pack_picture(packer, desk[k]) for k in ("composite", "bands")}
    near = [other | {"picture": _pack_picture(packer, other["picture"])} for other in desk["neighbours"]]
    return plain | pictures | {"neighbours": near, "spectrum": None if desk["spectrum"] is None else _pack_spectrum(packer, desk["spectrum"])}


def pack_fit(packer: Packer, fit: dict) -> dict:
    """A fit of `core.services.labelling.template_fit` with its curve in ``packer``; ``classes`` says which class is lowest, by its place in ``names``."""
    return fit | {"curve": None if fit["curve"] is None else _pack_curve(packer, fit["curve"])}


def pack_basis(packer: Packer, basis: Basis) -> dict:
    """A template basis that the browser fits with: rows one after another, each at most `_TOP`, on pixels of ``step`` dex from ``loglam0``."""
    count = basis.templates.shape[1] // basis.every
    rows = basis.templates[:, : count * basis.every].reshape(-1, count, basis.every).mean(axis=2)
    rows = rows * (_TOP / np.abs(rows).max(axis=1, keepdims=True))
    return {
        "name": basis.spectral_class, "z_range": [basis.z_low, basis.z_high], "loglam0": basis.loglam0 + STEP * (basis.every - 1) / 2, "step": STEP * basis.every,
        "count": len(rows), "polynomials": basis.polynomials, "cost": COEFFICIENT_COST * (len(rows) + basis.polynomials), "rows": packer.put(rows),
    }


def _pack_picture(packer: Packer, picture: np.ndarray | None) -> dict | None:
    return None if picture is None else packer.put(picture, "u1")


def _pack_curve(packer: Packer, curve: Chi2Curve) -> dict:
    names, classes = np.unique(curve.class_s, return_inverse=True)
    return {
        "z": packer.put(curve.z_s, "f4"), "delta": packer.put(np.minimum(curve.delta_chi2_s, _MOST)), "posterior": packer.put(curve.posterior_s, "f4"),
        "names": names.tolist(), "classes": packer.put(classes, "u1"),
    }


def _pack_spectrum(packer: Packer, spectrum: np.ndarray) -> dict:
    flux, ivar = np.nan_to_num(np.asarray(spectrum, float), posinf=0.0, neginf=0.0)
    scale = max(float(np.abs(flux).max()), 1e-12) / _TOP
    with np.errstate(divide="ignore"):
        sigma = np.where(ivar > 0, np.minimum(1 / np.sqrt(ivar) / scale, _MOST), np.inf)
    return {"scale": scale, "flux": packer.put(flux / scale), "sigma": packer.put(sigma)}
