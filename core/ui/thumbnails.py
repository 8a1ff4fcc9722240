"""Pictures of galaxies as PNG bytes, one by one, as a strip of bands, and as a grid."""

import base64
from html import escape
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from core.columns import BANDS
from core.preprocess import image as stamps

SIZE = 64
STRIP_SCALE = 4
_CURVE_WIDTH = 92
_GREY_FLOOR, _GREY_TOP = -1.0, 4.0
_GRID = """<style>
.lb-grid {display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 10px 8px;}
.lb-grid figure {margin: 0; line-height: 1.25; font-size: 0.72rem; min-width: 0;}
.lb-grid img, .lb-grid .lb-none {width: 100%; aspect-ratio: 1; border-radius: 6px; display: block; image-rendering: auto; background: #000;}
.lb-grid .lb-none {background: repeating-linear-gradient(45deg, #8883 0 6px, #8881 6px 12px); display: grid; place-items: center; opacity: 0.8;}
.lb-grid a {color: inherit; text-decoration: none;}
.lb-grid a:focus-visible img, .lb-grid a:hover img {outline: 2px solid #8a8df0; outline-offset: 1px;}
.lb-grid img.lb-curve {aspect-ratio: auto; height: 22px; margin-top: 3px; background: none; border-radius: 0;}
.lb-grid figcaption {padding-top: 3px; overflow-wrap: anywhere; opacity: 0.85;}
</style>"""


def composite_png(image: np.ndarray, scale: int = 1) -> bytes:
    """Colour picture (i, r, g) of a stamp (5, h, w) in nanomaggies per pixel, each pixel ``scale`` x ``scale``; NaN is black."""
    return _png(_enlarged(stamps.composite(image), scale))


def address(image: np.ndarray) -> str:
    """`composite_png` as an address that holds the picture itself."""
    return f"data:image/png;base64,{_base64(image)}"


def strip_png(image: np.ndarray, scale: int = STRIP_SCALE) -> bytes:
    """The five bands in grey and the colour composite side by side, (h, 6 w) times ``scale``, as one PNG.

    image : (5, h, w) nanomaggies per pixel, NaN = no data (the darkest grey). Bands have the models' own asinh
    stretch from 1 softening below the sky to the band's brightest pixels. Each part bears its band's name.
    """
    stretched = stamps.model_input(image[None], np.array([np.nan]))[0]
    top = np.maximum(np.percentile(stretched, 99.8, axis=(1, 2), keepdims=True), _GREY_TOP)
    grey = (255 * np.clip((stretched - _GREY_FLOOR) / (top - _GREY_FLOOR), 0, 1)).astype(np.uint8)
    parts = [np.repeat(band[..., None], 3, axis=-1) for band in grey] + [stamps.composite(image)]
    picture = Image.fromarray(np.concatenate([_enlarged(p, scale) for p in parts], axis=1))
    draw = ImageDraw.Draw(picture)
    for k, name in enumerate((*BANDS, "i r g")):
        draw.text((k * image.shape[-1] * scale + 5, 3), name, fill=(255, 255, 255), font_size=max(12, 7 * scale))
    return _encoded(picture)


def grid(images: np.ndarray, has_image: np.ndarray, captions: list[str], alts: list[str], links: list[str] | None = None, curves: list[str] | None = None) -> str:
    """HTML of a grid of pictures that fits its width, pictures included: one element however many galaxies.

    images : (n, 5, 64, 64); has_image : bool (n,), False draws a hatched box. captions, alts : n texts, a new
    line in a caption starts a line. links : n addresses, or None. curves : n drawings (`curve`) to stand under the pictures, or None.
    """
    figures = []
    for k, (caption, alt) in enumerate(zip(captions, alts, strict=True)):
        source = f'<img alt="{escape(alt)}" src="{address(images[k])}">' if has_image[k] else '<span class="lb-none">no image</span>'
        linked = f'<a href="{escape(links[k])}" target="_blank" rel="noopener" title="{escape(alt)}">{source}</a>' if links else source
        figures.append(f"<figure>{linked}{_drawing(curves[k]) if curves else ''}<figcaption>{escape(caption).replace(chr(10), '<br>')}</figcaption></figure>")
    return f'{_GRID}<div class="lb-grid">{"".join(figures)}</div>'


def _drawing(svg: str) -> str:
    """An SVG as an image: drawings in the page itself are taken out of HTML on its way to the browser."""
    return f'<img class="lb-curve" alt="" src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode("ascii")}">' if svg else ""


def curve(mean: float, sigma: float, low: float, high: float, label: float = np.nan) -> str:
    """A normal distribution between two values as a small drawing, its peak at full height; a tick where the label is, if it is given.

    Empty where ``mean`` or ``sigma`` is NaN. A curve narrower than a pixel is drawn a pixel wide; one that lies outside stands at the edge it has left.
    """
    if not (np.isfinite(mean) and np.isfinite(sigma) and high > low):
        return ""
    place = lambda value: float(np.clip((value - low) / (high - low), 0, 1)) * _CURVE_WIDTH  # noqa: E731
    x, width = place(mean), max(sigma / (high - low) * _CURVE_WIDTH, 0.7)
    at = np.unique(np.clip(np.concatenate([np.linspace(0, _CURVE_WIDTH, 9), x + width * np.linspace(-3, 3, 21)]), 0, _CURVE_WIDTH))
    points = " ".join(f"{a:.1f},{21 - 19 * np.exp(-0.5 * ((a - x) / width) ** 2):.1f}" for a in at)
    tick = f'<line x1="{place(label):.1f}" x2="{place(label):.1f}" y1="0" y2="21" stroke="#D55E00" stroke-width="1.6"/>' if np.isfinite(label) else ""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_CURVE_WIDTH} 22" preserveAspectRatio="none"><polyline points="0,21 {points} {_CURVE_WIDTH},21" fill="#8a8df0" fill-opacity="0.35" '
            f'stroke="#7477e0" stroke-width="1.2" vector-effect="non-scaling-stroke"/>{tick}</svg>')


def _base64(image: np.ndarray) -> str:
    return base64.b64encode(composite_png(image)).decode("ascii")


def _enlarged(pixels: np.ndarray, scale: int) -> np.ndarray:
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def _png(pixels: np.ndarray) -> bytes:
    return _encoded(Image.fromarray(pixels))


def _encoded(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
