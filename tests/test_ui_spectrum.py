"""What is packed for the browser can be read back from the header's pointers."""

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from core.spectroscopy.basis import galaxy_basis, quasar_basis
from core.spectroscopy.curve import Chi2Curve
from core.ui import spectrum
from core.ui.spectrum.packing import Packer, pack_basis, pack_fit, pack_object
from core.ui.spectrum.viewers import VIEWERS


def read(payload: bytes) -> tuple[dict, bytes]:
    size = struct.unpack("<I", payload[:4])[0]
    return json.loads(payload[4 : 4 + size]), payload[4 + size :]


def array(pointer: dict, blob: bytes) -> np.ndarray:
    offset, length, kind = pointer["$"]
    return np.frombuffer(blob, {"f2": "<f2", "u1": "<u1", "f4": "<f4"}[kind], length, offset)


def test_arrays_start_on_four_bytes_and_come_back():
    packer = Packer()
    first, second = packer.put(np.arange(7), "u1"), packer.put(np.array([1.5, -2.0, np.inf]))
    header, blob = read(packer.bytes({"é": first, "b": second}))
    assert header["é"]["$"] == [0, 7, "u1"] and header["b"]["$"] == [8, 3, "f2"]
    assert array(header["é"], blob).tolist() == list(range(7)) and array(header["b"], blob).tolist() == [1.5, -2.0, np.inf]


def test_spectrum_is_scaled_and_masked_pixels_have_infinite_sigma():
    flux = np.linspace(-2e5, 4e5, 4620)
    spectrum = np.stack([flux, np.where(np.arange(4620) % 10 == 0, 0, 4e-6)]).astype(np.float32)
    packer = Packer()
    sent = pack_object(packer, {"id": 1, "spectrum": spectrum, "composite": None, "bands": np.zeros((5, 64, 64), np.uint8), "neighbours": [{"id": 2, "picture": None}]})
    header, blob = read(packer.bytes(sent))
    scale = header["spectrum"]["scale"]
    sigma = array(header["spectrum"]["sigma"], blob).astype(float) * scale
    np.testing.assert_allclose(array(header["spectrum"]["flux"], blob).astype(float) * scale, flux, atol=4e5 * 6e-4)
    np.testing.assert_allclose(sigma[1], 500, rtol=1e-3)
    assert np.isinf(sigma[::10]).all() and np.isfinite(sigma).sum() == 4620 - 462
    assert header["neighbours"] == [{"id": 2, "picture": None}] and header["composite"] is None and header["id"] == 1 and len(array(header["bands"], blob)) == 20480


def test_empty_spectrum_is_packed_without_a_warning():
    packer = Packer()
    sent = pack_object(packer, {"spectrum": np.full((2, 4620), np.nan, np.float32), "composite": None, "bands": None, "neighbours": []})
    header, blob = read(packer.bytes(sent))
    assert np.isinf(array(header["spectrum"]["sigma"], blob)).all() and not array(header["spectrum"]["flux"], blob).any()


def test_scripts_name_nothing_twice():
    """They are joined to one module, in which a name said twice is an error that only a browser tells."""
    folder = Path(spectrum.__file__).parent
    named = [name for script in spectrum._SCRIPTS for name in re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", (folder / f"{script}.js").read_text(), re.M)]
    assert len(named) > 100 and sorted(set(named)) == sorted(named)


def test_curve_keeps_its_redshifts_to_a_millionth():
    z = np.array([0.0123456, 0.7, 4.7654321])
    packer = Packer()
    curve = Chi2Curve(z, np.array([3.0, 0.0, 1e6]), np.array([0.2, 0.8, 0.0]), np.array(["GALAXY", "GALAXY", "QSO"]))
    header, blob = read(packer.bytes(pack_fit(packer, {"candidates": [], "curve": curve})))
    sent = header["curve"]
    np.testing.assert_allclose(array(sent["z"], blob), z, rtol=1e-6)
    assert array(sent["delta"], blob).tolist() == [3.0, 0.0, 6e4] and [sent["names"][k] for k in array(sent["classes"], blob)] == curve.class_s.tolist()
    assert pack_fit(packer, {"curve": None}) == {"curve": None}


def test_bases_are_sent_on_their_own_pixels_with_each_template_at_most_a_thousand():
    for basis in (galaxy_basis(), quasar_basis()):
        packer = Packer()
        header, blob = read(packer.bytes(pack_basis(packer, basis)))
        rows = array(header["rows"], blob).astype(float).reshape(header["count"], -1)
        assert rows.shape[1] == basis.templates.shape[1] // basis.every and np.abs(rows).max(axis=1).round() == pytest.approx(1000)
        loglam = header["loglam0"] + header["step"] * np.arange(rows.shape[1])
        truth = np.interp(loglam, basis.loglam0 + 1e-4 * np.arange(basis.templates.shape[1]), basis.templates[0])
        np.testing.assert_allclose(rows[0] / rows[0].max(), truth / truth.max(), atol=2e-3)


def test_viewers_take_a_place_on_the_sky():
    for viewer in VIEWERS:
        assert viewer.url.startswith("https://") and "{ra}" in viewer.url and "{dec}" in viewer.url and viewer.sentence
