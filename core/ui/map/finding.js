// What lies under the pointer, and in which order points are drawn.

const HIDDEN = 255;
const SIDE = 160;

/** Visible points in cells of a square grid, so that the nearest to a place is found without looking at all. */
class Finder {
  constructor(places, looks, frame) {
    Object.assign(this, { places, frame });
    const cells = new Int32Array(places.length / 2), starts = new Uint32Array(SIDE * SIDE + 1);
    for (let i = 0; i < cells.length; i++) {
      cells[i] = looks[2 * i + 1] === HIDDEN ? -1 : this.cell(places[2 * i], places[2 * i + 1]);
      if (cells[i] >= 0) starts[cells[i] + 1]++;
    }
    for (let c = 0; c < SIDE * SIDE; c++) starts[c + 1] += starts[c];
    const next = starts.slice(), members = new Uint32Array(starts[SIDE * SIDE]);
    for (let i = 0; i < cells.length; i++) if (cells[i] >= 0) members[next[cells[i]]++] = i;
    Object.assign(this, { starts, members });
  }

  column(x) {
    const [x0, x1] = this.frame;
    return Math.min(SIDE - 1, Math.max(0, Math.floor(((x - x0) / (x1 - x0)) * SIDE)));
  }

  line(y) {
    const [, , y0, y1] = this.frame;
    return Math.min(SIDE - 1, Math.max(0, Math.floor(((y - y0) / (y1 - y0)) * SIDE)));
  }

  cell(x, y) {
    return this.line(y) * SIDE + this.column(x);
  }

  /** Row of the nearest point within an ellipse of half axes (rx, ry) about a place; -1 for none. */
  nearest(x, y, rx, ry) {
    let best = 1, found = -1;
    for (let j = this.line(y - ry); j <= this.line(y + ry); j++)
      for (let i = this.column(x - rx); i <= this.column(x + rx); i++)
        for (let k = this.starts[j * SIDE + i]; k < this.starts[j * SIDE + i + 1]; k++) {
          const row = this.members[k], d = ((this.places[2 * row] - x) / rx) ** 2 + ((this.places[2 * row + 1] - y) / ry) ** 2;
          if (d < best) [best, found] = [d, row];
        }
    return found;
  }
}

/** Rows to draw, lowest layer first: by colour for categories; for numbers, what has no value below the rest. */
function drawingOrder(looks, isCategory) {
  const counts = new Uint32Array(257), n = looks.length / 2;
  const layer = (i) => (isCategory ? looks[2 * i] : looks[2 * i] > 0 ? 1 : 0);
  let shown = 0;
  for (let i = 0; i < n; i++) if (looks[2 * i + 1] !== HIDDEN) (counts[layer(i) + 1]++, shown++);
  for (let c = 0; c < 256; c++) counts[c + 1] += counts[c];
  const order = new Uint32Array(shown);
  for (let i = 0; i < n; i++) if (looks[2 * i + 1] !== HIDDEN) order[counts[layer(i)]++] = i;
  return order;
}

/** Bits packed eight to a byte, highest first, in base64: one byte of 0 or 1 a point. */
function unpacked(text, n) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), out = new Uint8Array(n);
  for (let i = 0; i < n; i++) out[i] = (packed[i >> 3] >> (7 - (i & 7))) & 1;
  return out;
}
