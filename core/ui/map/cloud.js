// The map itself: answers the pointer in the browser, and tells Python the outline of what was caught.

const REACH = 14;
const REST_MILLISECONDS = 90;
const DIM = 0.16;
const MARK_PIXELS = 15;
// What the colour bar takes of the stage's right side, so that it lies over no galaxy.
const BAR_PIXELS = 96;
// A crowd is painted as density until its cells would show; from this zoom on, as points.
const CLOSE = 5;

class Cloud {
  constructor(parent) {
    this.root = parent.querySelector(".lb-map");
    this.parts = Object.fromEntries(["stage", "points", "pen", "bar", "tip", "notice", "legend"].map((name) => [name, this.root.querySelector(`.${name}`)]));
    this.painter = Painter.on(this.parts.points);
    this.pen = this.parts.pen.getContext("2d", { willReadFrequently: true });
    Object.assign(this, { files: new Map(), turn: 0, serial: 0, tool: "lasso", how: "replace", path: null, under: -1, send: () => {} });
    if (!this.painter) this.say("This browser draws no WebGL, which the map needs. Switch hardware acceleration on, or use another browser.");
    this.onAnswer = (event) => this.answer(event.detail);
    document.addEventListener("lookback-pointed", this.onAnswer);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.parts.stage);
    listen(this);
    this.press();
  }

  /** Draw what Python sends; places and looks are fetched once and kept. */
  async receive(data) {
    const turn = ++this.turn;
    try {
      const [places, looks, density] = await Promise.all([this.file(data.places), this.file(data.looks), data.density && this.file(data.density)]);
      if (turn === this.turn && this.painter) this.show(data, places, looks, density);
    } catch (error) {
      this.say("The map did not reach the browser. Reload the page.");
    }
  }

  async file(address) {
    if (!this.files.has(address)) {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
      this.files.set(address, await answer.arrayBuffer());
      if (this.files.size > 6) this.files.delete(this.files.keys().next().value);
    }
    return this.files.get(address);
  }

  show(data, places, looks, density) {
    const isOther = this.data?.name !== data.name, hasMoved = this.places?.buffer !== places, looksChange = this.looks?.buffer !== looks;
    this.data = data;
    this.key = data.key;
    this.root.style.height = `${data.height}px`;
    this.parts.stage.setAttribute("aria-label", data.alt);
    if (!this.view || isOther) this.view = new View(data.frame);
    this.view.frame = data.frame;
    if (hasMoved) this.painter.cloud.set("place", (this.places = new Float32Array(places)));
    if (looksChange || hasMoved) this.look(new Uint8Array(looks));
    if (density) this.painter.raster.set(new Uint8Array(density));
    this.painter.setColours(Uint8Array.from(data.colours.match(/../g), (pair) => parseInt(pair, 16)));
    this.catch(data.caught);
    this.mark(data.marks);
    showLegend(this.parts.legend, data.legend);
    showBar(this.parts.bar, data.bar);
    this.parts.notice.hidden = true;
    this.path = null;
    this.resize();
    this.root.dataset.density = Boolean(density);
    this.root.dataset.drawn = data.title;
    this.root.dataset.caught = data.caught ? data.caught_count : "";
  }

  look(looks) {
    this.looks = looks;
    this.painter.cloud.set("look", looks);
    this.order = drawingOrder(looks, !this.data.bar);
    this.finder = new Finder(this.places, looks, this.data.frame);
  }

  catch(text) {
    const count = this.places.length / 2;
    this.caught = text ? unpacked(text, count) : new Uint8Array(count);
    this.painter.cloud.set("caught", this.caught);
    this.dim = text ? DIM : 1;
    this.drawn = null;
  }

  mark(marks) {
    const rows = marks.flatMap((m) => m.rows), places = new Float32Array(2 * rows.length), looks = new Uint8Array(2 * rows.length);
    rows.forEach((row, k) => places.set(this.places.subarray(2 * row, 2 * row + 2), 2 * k));
    marks.flatMap((m) => m.rows.map(() => [m.colour, m.shape])).forEach((look, k) => looks.set(look, 2 * k));
    const { marks: points } = this.painter;
    points.set("place", places);
    points.set("look", looks);
    points.set("caught", new Uint8Array(rows.length));
    points.setOrder(Uint32Array.from(rows.keys()));
  }

  resize() {
    const { points, pen, stage } = this.parts, ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [stage.clientWidth - (this.data?.bar ? BAR_PIXELS : 0), stage.clientHeight];
    for (const canvas of [points, pen]) {
      canvas.style.width = `${this.width}px`;
      const [w, h] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
      if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    }
    this.redraw();
  }

  /** Which points are drawn: all, or above a density only those that are caught. */
  choose(isDensity) {
    if (this.drawn === isDensity) return;
    this.drawn = isDensity;
    this.painter.cloud.setOrder(isDensity ? this.order.filter((row) => this.caught[row]) : this.order);
  }

  /** Paint at the browser's next frame, once however often it is asked. */
  redraw() {
    if (this.frame || !this.painter || !this.view) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const growth = Math.min(4, this.view.zoom ** 0.35), isDensity = Boolean(this.data.density) && this.view.zoom < CLOSE;
      this.choose(isDensity);
      this.painter.paint(this.view.uniform(), this.data.size * growth, this.data.opacity, this.dim, MARK_PIXELS, isDensity && this.data.frame);
      this.sketch();
    });
  }

  /** What lies over the points: the outline being drawn, and a ring about the galaxy under the pointer. */
  sketch() {
    const { pen } = this, ratio = window.devicePixelRatio || 1, style = getComputedStyle(this.root);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.strokeStyle = pen.fillStyle = style.getPropertyValue("--accent");
    pen.lineWidth = 2;
    if (this.path?.length > 1) {
      pen.beginPath();
      for (const [x, y] of this.path) pen.lineTo(...this.view.pixelOf(x, y, this.width, this.height));
      pen.closePath();
      pen.stroke();
      pen.globalAlpha = 0.12;
      pen.fill();
      pen.globalAlpha = 1;
    }
    if (this.under >= 0) {
      const [x, y] = this.pixelOf(this.under);
      pen.strokeStyle = style.color;
      pen.beginPath();
      pen.arc(x, y, 8, 0, 7);
      pen.stroke();
    }
  }

  pixelOf(row) {
    return this.view.pixelOf(this.places[2 * row], this.places[2 * row + 1], this.width, this.height);
  }

  /** The galaxy under a pixel; -1 for none. */
  at(px, py) {
    if (!this.finder) return -1;
    const [ux, uy] = this.view.unit(this.width, this.height);
    return this.finder.nearest(...this.view.placeAt(px, py, this.width, this.height), REACH * ux, REACH * uy);
  }

  /** Ring what is under the pointer, and once it rests, ask what that is. */
  point(row) {
    if (row === this.under) return;
    this.under = row;
    showTip(this.parts.tip, null);
    clearTimeout(this.waiting);
    if (row >= 0) this.waiting = setTimeout(() => document.dispatchEvent(new CustomEvent("lookback-pointing", { detail: { key: this.key, row } })), REST_MILLISECONDS);
    this.redraw();
  }

  answer({ key, row, ...rest }) {
    if (key === this.key && row === this.under) showTip(this.parts.tip, rest, ...this.pixelOf(row), this.width, this.height);
  }

  /** Tell Python what was done; the number makes two like gestures differ. */
  tell(gesture) {
    this.send({ ...gesture, serial: `${performance.timeOrigin}-${++this.serial}` });
  }

  press() {
    for (const [name, value] of [["tool", this.tool], ["how", this.how]])
      this.root.querySelectorAll(`[data-${name}]`).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset[name] === value)));
    this.parts.stage.classList.toggle("pan", this.tool === "pan");
  }

  say(sentence) {
    this.parts.notice.textContent = sentence;
    this.parts.notice.hidden = false;
  }

  destroy() {
    document.removeEventListener("lookback-pointed", this.onAnswer);
    clearTimeout(this.waiting);
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
    this.painter?.destroy();
  }
}
