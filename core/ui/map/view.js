// Which part of the map is on screen. Shares of the frame: (0, 0) its lower left, (1, 1) its upper right corner.

const MOST_ZOOM = 400;

class View {
  constructor(frame) {
    this.frame = frame;
    this.reset();
  }

  reset() {
    Object.assign(this, { x: 0.5, y: 0.5, zoom: 1 });
  }

  /** What the shader multiplies places by and adds to them. */
  uniform() {
    const [x0, x1, y0, y1] = this.frame, z = 2 * this.zoom;
    return [z / (x1 - x0), z / (y1 - y0), -z * (x0 / (x1 - x0) + this.x), -z * (y0 / (y1 - y0) + this.y)];
  }

  /** Pixels of an element of width w and height h to the map's coordinates. */
  placeAt(px, py, w, h) {
    const [x0, x1, y0, y1] = this.frame;
    return [x0 + (x1 - x0) * (this.x + (px / w - 0.5) / this.zoom), y0 + (y1 - y0) * (this.y + (0.5 - py / h) / this.zoom)];
  }

  pixelOf(x, y, w, h) {
    const [x0, x1, y0, y1] = this.frame;
    return [w * (0.5 + ((x - x0) / (x1 - x0) - this.x) * this.zoom), h * (0.5 - ((y - y0) / (y1 - y0) - this.y) * this.zoom)];
  }

  /** Map units of one pixel. */
  unit(w, h) {
    const [x0, x1, y0, y1] = this.frame;
    return [(x1 - x0) / w / this.zoom, (y1 - y0) / h / this.zoom];
  }

  pan(dx, dy, w, h) {
    this.x -= dx / w / this.zoom;
    this.y += dy / h / this.zoom;
  }

  /** Zoom so that what lies at a pixel stays there. */
  zoomAt(factor, px, py, w, h) {
    const before = this.zoom, [sx, sy] = [px / w - 0.5, 0.5 - py / h];
    this.zoom = Math.min(MOST_ZOOM, Math.max(0.5, before * factor));
    this.x += sx / before - sx / this.zoom;
    this.y += sy / before - sy / this.zoom;
  }
}
