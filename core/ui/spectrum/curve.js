// chi-square against redshift, with the candidates on it: low is good, the filled hills are the probability.

const CURVE = { left: 46, right: 10, top: 5, bottom: 15 };
const SNAP = 8;
/** Pixels within which a click means a candidate, or the lowest point beside it. */

class Curve {
  constructor(canvas, pick) {
    Object.assign(this, { canvas, pick, at: null, fit: null, z: null });
  }

  listen(signal) {
    const place = (event) => event.clientX - this.canvas.getBoundingClientRect().left;
    this.canvas.addEventListener("pointermove", (event) => this.point(place(event)), { signal });
    this.canvas.addEventListener("pointerleave", () => this.point(null), { signal });
    this.canvas.addEventListener("click", (event) => this.fit?.curve && this.pick(this.meant(place(event))), { signal });
  }

  point(at) {
    this.at = at;
    this.draw(this.fit, this.z, this.colour);
  }

  /** Redshifts are spread by the root of log(1 + z): low ones have room. */
  place(z) { return Math.sqrt(Math.max(0, Math.log10((1 + z) / (1 + this.fit.curve.z[0])))); }
  x(z) { return CURVE.left + (this.place(z) / this.place(this.fit.curve.z.at(-1))) * this.width; }
  y(delta) { return CURVE.top + (1 - Math.sqrt(delta / this.most)) * this.height; }

  /** What a click at ``x`` means: a candidate by its place in the list, or a redshift. */
  meant(x) {
    const { candidates, curve } = this.fit, away = candidates.map((c) => Math.abs(this.x(c.z) - x));
    const nearest = away.indexOf(Math.min(...away));
    if (away[nearest] <= SNAP) return { candidate: nearest };
    const beside = [...curve.z.keys()].filter((i) => Math.abs(this.x(curve.z[i]) - x) <= SNAP / 2);
    return { z: beside.length ? curve.z[beside.reduce((a, b) => (curve.delta[a] <= curve.delta[b] ? a : b))] : curve.z[nearestTo(curve.z, x, (z) => this.x(z))] };
  }

  draw(fit, z, colour) {
    Object.assign(this, { fit, z, colour });
    const pen = this.canvas.getContext("2d"), { clientWidth, clientHeight } = this.canvas;
    Object.assign(this, { width: clientWidth - CURVE.left - CURVE.right, height: clientHeight - CURVE.top - CURVE.bottom });
    pen.clearRect(0, 0, clientWidth, clientHeight);
    if (!fit?.curve || this.width < 50) return;
    this.most = Math.max(20, fit.curve.delta.reduce((a, b) => Math.max(a, b), 0));
    this.axes(pen);
    this.hills(pen);
    this.line(pen);
    if (z !== null) this.upright(pen, this.x(z), colour.text, 0.9, 1.5);
    fit.candidates.forEach((candidate, i) => this.mark(pen, candidate, i));
    if (this.at !== null) this.tell(pen);
  }

  axes(pen) {
    const { colour } = this, bottom = CURVE.top + this.height;
    Object.assign(pen, { font: `10.5px ${colour.code}`, fillStyle: colour.quiet, strokeStyle: colour.border, lineWidth: 1, textAlign: "right", textBaseline: "middle", globalAlpha: 0.55 });
    pen.strokeRect(CURVE.left + 0.5, CURVE.top + 0.5, this.width, this.height);
    pen.globalAlpha = 1;
    pen.fillText("Δχ²", CURVE.left - 6, CURVE.top + 6);
    pen.fillText("0", CURVE.left - 6, bottom - 4);
    Object.assign(pen, { textAlign: "center", textBaseline: "top" });
    let right = -Infinity;
    for (const z of [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6]) {
      const x = this.x(z);
      if (x > CURVE.left + this.width || x < right + 26) continue;
      pen.fillText(String(z), x, bottom + 3);
      pen.fillRect(Math.round(x), bottom, 1, 3);
      right = x;
    }
    pen.textAlign = "right";
    pen.fillText("z", CURVE.left - 6, bottom + 3);
  }

  /** The probability of each redshift; its root, so that the second best can be seen. */
  hills(pen) {
    const { z, posterior } = this.fit.curve, most = Math.sqrt(posterior.reduce((a, b) => Math.max(a, b), 1e-12)), bottom = CURVE.top + this.height;
    pen.fillStyle = this.colour.emission;
    pen.globalAlpha = 0.45;
    for (let i = 0; i < z.length; i++) {
      const tall = (Math.sqrt(posterior[i]) / most) * this.height;
      if (tall > 0.5) pen.fillRect(this.x(z[i]) - 1.5, bottom - tall, 3, tall);
    }
    pen.globalAlpha = 1;
  }

  line(pen) {
    const { z, delta, classes, names } = this.fit.curve, inks = { GALAXY: this.colour.trace, QSO: this.colour.quasar, STAR: this.colour.absorption };
    Object.assign(pen, { lineWidth: 1.1, lineJoin: "round" });
    for (const [k, name] of names.entries()) {
      pen.beginPath();
      for (let i = 1; i < z.length; i++) {
        if (classes[i] !== k) continue;
        pen.moveTo(this.x(z[i - 1]), this.y(delta[i - 1]));
        pen.lineTo(this.x(z[i]), this.y(delta[i]));
      }
      pen.strokeStyle = inks[name];
      pen.stroke();
    }
  }

  mark(pen, { z, delta_chi2 }, i) {
    const x = this.x(z), y = Math.min(CURVE.top + this.height - 6, Math.max(CURVE.top + 7, this.y(delta_chi2))), isHere = this.z !== null && Math.abs(this.x(this.z) - x) < 0.6;
    pen.beginPath();
    pen.arc(x, y, 6, 0, 7);
    Object.assign(pen, { fillStyle: isHere ? this.colour.text : this.colour.page, strokeStyle: this.colour.text, lineWidth: 1 });
    pen.fill();
    pen.stroke();
    Object.assign(pen, { fillStyle: isHere ? this.colour.page : this.colour.text, font: `600 9px ${this.colour.code}`, textAlign: "center", textBaseline: "middle" });
    pen.fillText(String(i + 1), x, y + 0.5);
  }

  upright(pen, x, colour, alpha, width) {
    Object.assign(pen, { strokeStyle: colour, globalAlpha: alpha, lineWidth: width });
    pen.beginPath();
    pen.moveTo(x, CURVE.top);
    pen.lineTo(x, CURVE.top + this.height);
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** What is under the cursor, written beside it. */
  tell(pen) {
    const { curve } = this.fit, i = nearestTo(curve.z, this.at, (z) => this.x(z));
    const text = `z ${curve.z[i].toFixed(4)}  Δχ² ${curve.delta[i].toFixed(curve.delta[i] < 100 ? 1 : 0)}  ${curve.names[curve.classes[i]].toLowerCase()}`;
    this.upright(pen, this.at, this.colour.text, 0.4, 1);
    pen.font = `11px ${this.colour.code}`;
    const wide = pen.measureText(text).width + 10, left = this.at + wide + 8 > CURVE.left + this.width ? this.at - wide - 6 : this.at + 6;
    Object.assign(pen, { fillStyle: this.colour.panel, textAlign: "left", textBaseline: "middle" });
    pen.fillRect(left, CURVE.top + 3, wide, 17);
    pen.fillStyle = this.colour.text;
    pen.fillText(text, left + 5, CURVE.top + 12);
  }
}

/** Place of the value whose ``of`` is nearest to ``at``; ``values`` ascend. */
function nearestTo(values, at, of = (v) => v) {
  let low = 0, high = values.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (of(values[middle]) < at) low = middle;
    else high = middle;
  }
  return at - of(values[low]) < of(values[high]) - at ? low : high;
}

/** chi-square above the best at a redshift, as the curve has it; infinite beyond its ends. */
function deltaAt(curve, z) {
  if (!curve || z < curve.z[0] - 1e-3 || z > curve.z.at(-1) + 1e-2) return Infinity;
  const i = nearestTo(curve.z, z);
  return Math.min(...curve.delta.subarray(Math.max(0, i - 1), i + 2));
}
