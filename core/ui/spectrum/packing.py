"""What goes to the desk's component: a JSON header, then arrays that it points into, as one run of bytes.

JSON would make a spectrum of 4,620 pixels eight times as large and hold up the browser while it is read.
"""

import json
import struct

import numpy as np

_TOP = 1000.0
"""Half floats keep three digits between 6e-5 and 65,504; fluxes are scaled to reach this."""


class Packer:
    """Collects arrays; `bytes` puts the header before them."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def put(self, array: np.ndarray) -> dict:
        """Add an array (uint8, else sent as half floats) and return the header's pointer to it."""
        kind = "u1" if array.dtype == np.uint8 else "f2"
        data = np.ascontiguousarray(array, "<u1" if kind == "u1" else "<f2").tobytes()
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
    plain = {k: v for k, v in desk.items() if k not in ("spectrum", "composite", "bands")}
    pictures = {k: None if desk[k] is None else packer.put(desk[k]) for k in ("composite", "bands")}
    return plain | pictures | {"spectrum": None if desk["spectrum"] is None else _pack_spectrum(packer, desk["spectrum"])}


def _pack_spectrum(packer: Packer, spectrum: np.ndarray) -> dict:
    flux, ivar = np.nan_to_num(np.asarray(spectrum, float), posinf=0.0, neginf=0.0)
    scale = max(float(np.abs(flux).max()), 1e-12) / _TOP
    with np.errstate(divide="ignore"):
        sigma = np.where(ivar > 0, np.minimum(1 / np.sqrt(ivar) / scale, 6e4), np.inf)
    return {"scale": scale, "flux": packer.put(flux / scale), "sigma": packer.put(sigma)}
