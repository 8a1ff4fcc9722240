// The spectrum on plain canvas: one layer of data, one of markers above it, and an overview below.

const MARGIN = { left: 46, right: 10, top: 46, bottom: 24 };
const KM_S = 299792.458;
const CANVASES = ["base", "over", "mini", "curve", "callouts"];
/** Long thin paths are drawn sooner by the processor than handed to a graphics card, let alone to one that is emulated. */
const PEN = { willReadFrequently: true };

class Plot {
  /**
   * ``parts`` are the elements; ``look`` holds lines, noise, rest, level, template and ghosts; ``on`` hears what the cursor
   * is ``at``, a ``click`` that dragged nothing, and that all must be ``drawn`` anew.
   */
  constructor(parts, look, on) {
    Object.assign(this, { parts, look, on, z: null, spectrum: null, model: null, ghosts: [], hover: null, box: null, view: null, height: null, marked: null });
    CANVASES.forEach((name) => parts[name].getContext("2d", PEN));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(parts.plot);
    this.listen();
  }

  /** The fixed things: pixel grid and line lists. */
  setup({ loglam, lines, sky }) {
    if (this.wave?.length === loglam[2] && this.lines) return;
    this.wave = Float64Array.from({ length: loglam[2] }, (_, i) => 10 ** (loglam[0] + loglam[1] * i));
    this.step = loglam[1];
    this.grid = { loglam0: loglam[0], step: loglam[1], length: loglam[2] };
    this.lines = lines;
    this.sky = sky;
  }

  /** Show another object's spectrum, all of it. */
  show(spectrum) {
    Object.assign(this, { spectrum, marked: null, model: null, ghosts: [] });
    this.whole();
  }

  whole() {
    this.height = null;
    if (this.spectrum) this.view = this.spectrum.range.map((i) => this.shown(this.wave[i]));
    this.draw();
  }

  setZ(z) {
    this.z = z;
    if (this.look.rest) this.draw();
    else this.drawOver();
  }

  /** Rest or observed: the same part of the spectrum stays in sight. */
  setRest(rest) {
    const factor = 1 + (this.z ?? 0);
    if (this.view && rest !== this.look.rest) this.view = this.view.map((w) => (rest ? w / factor : w * factor));
    this.look.rest = rest;
    this.draw();
  }

  shown(wave) { return this.look.rest ? wave / (1 + (this.z ?? 0)) : wave; }
  observed(wave) { return this.look.rest ? wave * (1 + (this.z ?? 0)) : wave; }
  x(wave) { return MARGIN.left + ((this.shown(wave) - this.view[0]) / (this.view[1] - this.view[0])) * this.inner.width; }
  y(flux) { return MARGIN.top + ((this.level[1] - flux) / (this.level[1] - this.level[0])) * this.inner.height; }
  waveAt(x) { return this.observed(this.view[0] + ((x - MARGIN.left) / this.inner.width) * (this.view[1] - this.view[0])); }
  fluxAt(y) { return this.level[1] - ((y - MARGIN.top) / this.inner.height) * (this.level[1] - this.level[0]); }
  pixel(wave) { return Math.max(0, Math.min(this.wave.length - 1, Math.round((Math.log10(wave) - Math.log10(this.wave[0])) / this.step))); }

  values() {
    return smoothOf(this.spectrum, this.look.level);
  }

  /** The peak or dip beside the cursor: wavelength, and whether it is a dip; null when the cursor is elsewhere. */
  featureAtCursor() {
    if (!this.hover || !this.spectrum) return null;
    const at = feature(this.values(), this.pixel(this.waveAt(this.hover[0])));
    return { wave: this.wave[0] * 10 ** (this.step * at.place), isDip: at.isDip };
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of CANVASES.map((name) => this.parts[name])) {
      const { clientWidth: width, clientHeight: height } = canvas;
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    const { clientWidth: width, clientHeight: height } = this.parts.base;
    this.inner = { width: Math.max(50, width - MARGIN.left - MARGIN.right), height: Math.max(50, height - MARGIN.top - MARGIN.bottom), full: [width, height] };
    this.colour = colours(this.parts.plot);
    this.draw();
    this.on.drawn();
  }

  /** Follow a change between light and dark. */
  recolour() {
    const now = colours(this.parts.plot);
    if (!this.colour || JSON.stringify(now) === JSON.stringify(this.colour)) return;
    this.colour = now;
    this.draw();
    this.on.drawn();
  }

  draw() {
    if (!this.inner) return;
    const [width, height] = this.inner.full;
    const pen = this.parts.base.getContext("2d");
    pen.clearRect(0, 0, width, height);
    this.parts.plot.dataset.view = this.spectrum ? this.view.map((w) => w.toFixed(1)).join(" ") : "";
    if (this.spectrum) {
      const span = [this.pixel(this.observed(this.view[0])), this.pixel(this.observed(this.view[1]))];
      this.level = this.height ?? comfortable(this.values(), this.spectrum.sigma, span);
      drawAxes(pen, this);
      pen.save();
      pen.beginPath();
      pen.rect(MARGIN.left, MARGIN.top, this.inner.width, this.inner.height);
      pen.clip();
      drawMasked(pen, this, span);
      drawTraces(pen, this, span);
      pen.restore();
    }
    this.drawMini();
    this.drawOver();
  }

  drawOver() {
    if (!this.inner) return;
    const pen = this.parts.over.getContext("2d");
    pen.clearRect(0, 0, ...this.inner.full);
    if (!this.spectrum) return;
    if (this.look.lines) drawSky(pen, this);
    if (this.model) drawModel(pen, this);
    drawGhosts(pen, this);
    if (this.look.lines && this.z !== null) drawLines(pen, this);
    if (this.marked) drawMark(pen, this);
    if (this.box) drawBox(pen, this.box, this.colour);
    else if (this.hover) drawCross(pen, this);
  }

  drawMini() {
    const canvas = this.parts.mini, pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    if (this.spectrum) drawOverview(pen, this, canvas.clientWidth, canvas.clientHeight);
  }

  zoom(factor, at) {
    const centre = this.shown(at), [low, high] = this.view;
    const width = Math.max(8, Math.min((high - low) * factor, this.wave.at(-1)));
    const left = centre - ((centre - low) / (high - low)) * width;
    this.move(left, left + width);
  }

  move(low, high) {
    this.view = [low, high];
    this.draw();
  }

  listen() {
    const { plot, mini } = this.parts;
    const place = (event, element) => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    plot.addEventListener("wheel", (event) => {
      if (!this.spectrum) return;
      event.preventDefault();
      this.zoom(Math.exp(Math.sign(event.deltaY) * 0.18), this.waveAt(place(event, plot)[0]));
    }, { passive: false });
    plot.addEventListener("dblclick", () => {
      this.parts.names.hidden = true;
      this.whole();
    });
    plot.addEventListener("pointerdown", (event) => this.spectrum && event.button === 0 && !this.parts.names.contains(event.target) && this.grab(event, place(event, plot)));
    plot.addEventListener("pointermove", (event) => this.spectrum && this.drag(place(event, plot)));
    plot.addEventListener("pointerup", () => this.spectrum && this.release());
    plot.addEventListener("pointercancel", () => this.release());
    plot.addEventListener("pointerleave", () => this.point(null));
    const scroll = (event) => {
      if (!this.spectrum || !(event.buttons & 1)) return;
      const [from, to] = this.spectrum.range.map((i) => this.shown(this.wave[i]));
      const centre = from + (place(event, mini)[0] / mini.clientWidth) * (to - from), half = (this.view[1] - this.view[0]) / 2;
      this.move(centre - half, centre + half);
    };
    mini.addEventListener("pointerdown", (event) => (mini.setPointerCapture(event.pointerId), scroll(event)));
    mini.addEventListener("pointermove", scroll);
  }

  grab(event, at) {
    this.parts.plot.setPointerCapture(event.pointerId);
    this.held = { at, view: [...this.view], boxing: event.shiftKey, moved: false };
  }

  drag(at) {
    if (this.held?.boxing) this.box = [...this.held.at, ...at];
    else if (this.held) {
      const moved = ((at[0] - this.held.at[0]) / this.inner.width) * (this.held.view[1] - this.held.view[0]);
      if (Math.abs(at[0] - this.held.at[0]) > 2) this.held.moved = true;
      if (this.held.moved) this.move(this.held.view[0] - moved, this.held.view[1] - moved);
    }
    this.point(at);
  }

  release() {
    if (this.box && Math.abs(this.box[2] - this.box[0]) > 5) {
      const [x0, y0, x1, y1] = this.box;
      const view = [this.waveAt(Math.min(x0, x1)), this.waveAt(Math.max(x0, x1))].map((w) => this.shown(w));
      if (Math.abs(y1 - y0) > 12) this.height = [this.fluxAt(Math.max(y0, y1)), this.fluxAt(Math.min(y0, y1))];
      this.view = view;
    }
    const isClick = this.held && !this.held.moved && !this.held.boxing && this.hover;
    this.box = this.held = null;
    this.draw();
    if (isClick) this.on.click();
  }

  point(at) {
    const inside = at && at[0] >= MARGIN.left && at[0] <= MARGIN.left + this.inner.width && at[1] >= 0 && at[1] <= this.inner.full[1] - MARGIN.bottom;
    this.hover = inside ? at : null;
    this.drawOver();
    this.on.at(this.reading());
  }

  /** Wavelength, rest wavelength, flux, noise and nearest line under the cursor; null outside. */
  reading() {
    if (!this.hover || !this.spectrum) return null;
    const wave = this.waveAt(this.hover[0]), i = this.pixel(wave), rest = this.z === null ? null : wave / (1 + this.z);
    const near = rest && this.lines.reduce((a, b) => (Math.abs(a.wave - rest) < Math.abs(b.wave - rest) ? a : b));
    const inside = i >= this.spectrum.range[0] && i <= this.spectrum.range[1];
    return {
      wave, rest, flux: inside ? this.values()[i] : NaN, sigma: inside ? this.spectrum.sigma[i] : NaN,
      line: near && Math.abs(near.wave / rest - 1) * KM_S < 3000 ? { label: near.label, away: (rest / near.wave - 1) * KM_S } : null,
    };
  }

  destroy() { this.observer.disconnect(); }
}
