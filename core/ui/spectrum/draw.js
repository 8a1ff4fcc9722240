// Pen work of the plot. Colours are the theme's own, so light and dark follow by themselves.

function colours(element) {
  const style = getComputedStyle(element), of = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  return {
    text: of("--st-text-color", "#222"), page: of("--st-background-color", "#fff"), panel: of("--st-secondary-background-color", "#eee"),
    border: of("--st-border-color", "#ccc"), quiet: of("--st-gray-color", "#777"), trace: of("--st-blue-color", "#3b3a9e"),
    emission: of("--st-green-color", "#0f7f79"), absorption: of("--st-orange-color", "#b45f06"), quasar: of("--st-violet-color", "#7b3f98"),
    warn: of("--st-red-color", "#b3324f"), model: of("--st-yellow-color", "#9a7400"), code: of("--st-code-font", "monospace"), font: of("--st-font", "sans-serif"),
  };
}

/** Round numbers that divide a range into about so many parts. */
function ticks(low, high, parts) {
  const rough = (high - low) / parts, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const first = Math.ceil(low / step), count = Math.max(0, Math.floor(high / step) - first + 1);
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

/** A flux range in which the trace sits well; pixels three times as noisy as most, and single spikes, do not rule. */
function comfortable(values, sigma, [from, to]) {
  const [noise] = quantiles(sigma, from, to, 0.5, 0.5);
  const quiet = values.map((v, i) => (sigma[i] < 3 * noise ? v : NaN));
  const [low, high] = quantiles(quiet, from, to, 0.004, 0.996);
  const room = Math.max(high - low, 1e-6);
  const [, peak] = quantiles(quiet, from, to, 0, 1);
  return [Math.min(low - 0.1 * room, high > 0 ? 0 - 0.02 * room : Infinity), Math.min(Math.max(high + 0.18 * room, peak + 0.08 * room), high + 1.6 * room)];
}

function drawAxes(pen, plot) {
  const { inner, colour, view, level } = plot, bottom = MARGIN.top + inner.height;
  pen.lineWidth = 1;
  pen.strokeStyle = colour.border;
  pen.fillStyle = colour.quiet;
  pen.font = `11px ${colour.code}`;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  pen.beginPath();
  for (const wave of ticks(view[0], view[1], inner.width / 110)) {
    const x = Math.round(MARGIN.left + ((wave - view[0]) / (view[1] - view[0])) * inner.width) + 0.5;
    pen.moveTo(x, bottom);
    pen.lineTo(x, bottom + 4);
    pen.fillText(String(+wave.toFixed(2)), x, bottom + 7);
  }
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const flux of ticks(level[0], level[1], inner.height / 55)) {
    const y = Math.round(plot.y(flux)) + 0.5;
    pen.moveTo(MARGIN.left, y);
    pen.lineTo(MARGIN.left + inner.width, y);
    pen.fillText(String(+flux.toPrecision(6)), MARGIN.left - 6, y);
  }
  pen.globalAlpha = 0.55;
  pen.stroke();
  pen.globalAlpha = 1;
  pen.strokeRect(MARGIN.left + 0.5, MARGIN.top + 0.5, inner.width, inner.height);
  pen.textBaseline = "top";
  pen.fillText(plot.look.rest ? "Å rest" : "Å", MARGIN.left - 6, bottom + 7);
}

function drawMasked(pen, plot, [from, to]) {
  pen.fillStyle = plot.colour.quiet;
  pen.globalAlpha = 0.11;
  const { sigma, range } = plot.spectrum;
  const first = Math.max(from, range[0]), last = Math.min(to, range[1]);
  for (let i = first; i <= last; i++) {
    if (Number.isFinite(sigma[i])) continue;
    let end = i;
    while (end < last && !Number.isFinite(sigma[end + 1])) end++;
    const left = plot.x(plot.wave[i] * 10 ** (-plot.step / 2));
    pen.fillRect(left, MARGIN.top, Math.max(1, plot.x(plot.wave[end] * 10 ** (plot.step / 2)) - left), plot.inner.height);
    i = end;
  }
  pen.globalAlpha = 1;
}

function drawTraces(pen, plot, [from, to]) {
  const { colour, look, spectrum } = plot;
  const span = [Math.max(from - 1, spectrum.range[0]), Math.min(to + 1, spectrum.range[1])];
  if (look.noise) trace(pen, plot, spectrum.sigma, span, colour.absorption, 0.9, 0.6);
  if (look.level > 0) trace(pen, plot, spectrum.good, span, colour.quiet, 0.7, 0.28);
  trace(pen, plot, plot.values(), span, colour.trace, 1.15, 1);
}

function trace(pen, plot, values, [from, to], colour, width, alpha) {
  pen.beginPath();
  let up = true;
  for (let i = from; i <= to; i++) {
    if (!Number.isFinite(values[i])) { up = true; continue; }
    const x = plot.x(plot.wave[i]), y = plot.y(values[i]);
    if (up) pen.moveTo(x, y);
    else pen.lineTo(x, y);
    up = false;
  }
  Object.assign(pen, { strokeStyle: colour, lineWidth: width, globalAlpha: alpha, lineJoin: "round" });
  pen.stroke();
  pen.globalAlpha = 1;
}

function drawSky(pen, plot) {
  const { colour, inner } = plot;
  pen.fillStyle = colour.quiet;
  pen.font = `10px ${colour.font}`;
  pen.textAlign = "center";
  for (const { name, low, high } of plot.sky) {
    const left = Math.max(MARGIN.left, plot.x(low)), right = Math.min(MARGIN.left + inner.width, plot.x(high));
    if (right <= left) continue;
    pen.globalAlpha = 0.09;
    pen.fillRect(left, MARGIN.top, Math.max(2, right - left), inner.height);
    pen.globalAlpha = 0.75;
    pen.fillText(name, (left + right) / 2, MARGIN.top + inner.height - 14);
  }
  pen.globalAlpha = 1;
}

/** Markers at the present redshift; strong lines get their labels first, others where there is room. */
function drawLines(pen, plot) {
  const { colour, inner } = plot, factor = 1 + plot.z, bottom = MARGIN.top + inner.height;
  const placed = plot.lines.map((line) => ({ ...line, x: plot.x(line.wave * factor) })).filter((l) => l.x >= MARGIN.left && l.x <= MARGIN.left + inner.width);
  const rows = [[], [], []];
  pen.font = `11px ${colour.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const line of [...placed].sort((a, b) => b.strong - a.strong || a.wave - b.wave)) {
    const half = pen.measureText(line.label).width / 2 + 3;
    const isNamed = rows.flat().some(([low, high, label]) => label === line.label && line.x > low - half && line.x < high + half);
    const row = isNamed ? -1 : rows.findIndex((taken) => taken.every(([low, high]) => line.x + half < low || line.x - half > high));
    const y = row < 0 ? MARGIN.top : MARGIN.top - 9 - 14 * row;
    Object.assign(pen, { strokeStyle: colour[line.group], fillStyle: colour[line.group], lineWidth: 1, globalAlpha: line.strong ? 0.8 : 0.45 });
    pen.setLineDash(line.group === "absorption" ? [5, 3] : line.group === "quasar" ? [2, 3] : []);
    pen.beginPath();
    pen.moveTo(line.x, row < 0 ? MARGIN.top : y + 7);
    pen.lineTo(line.x, bottom);
    pen.stroke();
    if (row < 0) continue;
    rows[row].push([line.x - half, line.x + half, line.label]);
    pen.globalAlpha = line.strong ? 1 : 0.75;
    pen.fillText(line.label, line.x, y);
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function drawModel(pen, plot) {
  const { inner, spectrum, view, colour } = plot, span = [plot.pixel(plot.observed(view[0])), plot.pixel(plot.observed(view[1]))];
  pen.save();
  pen.beginPath();
  pen.rect(MARGIN.left, MARGIN.top, inner.width, inner.height);
  pen.clip();
  trace(pen, plot, plot.model, [Math.max(span[0] - 1, spectrum.range[0]), Math.min(span[1] + 1, spectrum.range[1])], colour.model, 1.3, 0.95);
  pen.restore();
}

/** Where the strong lines would be at other candidates: a row of ticks each, its number in front; one that is pointed at has them in full. */
function drawGhosts(pen, plot) {
  const { colour, inner, ghosts } = plot, bottom = MARGIN.top + inner.height, right = MARGIN.left + inner.width;
  Object.assign(pen, { font: `10px ${colour.font}`, fillStyle: colour.text, strokeStyle: colour.text, lineWidth: 1.2 });
  for (const [row, { number, z, isPointed }] of ghosts.entries()) {
    const y = bottom - 30 - 15 * (ghosts.length - 1 - row);
    Object.assign(pen, { fillStyle: colour.page, globalAlpha: 0.72 });
    pen.fillRect(MARGIN.left + 1, y - 10, inner.width - 1, 13);
    Object.assign(pen, { fillStyle: colour.text, textAlign: "left", textBaseline: "middle", globalAlpha: 0.85 });
    pen.fillText(String(number), MARGIN.left + 4, y - 3);
    pen.setLineDash(isPointed ? [2, 4] : []);
    let taken = MARGIN.left + 14;
    for (const { label, wave, strong } of plot.lines) {
      const x = plot.x(wave * (1 + z));
      if (!strong || x < MARGIN.left || x > right) continue;
      pen.beginPath();
      pen.moveTo(x, isPointed ? MARGIN.top : y - 7);
      pen.lineTo(x, isPointed ? bottom : y + 1);
      pen.stroke();
      const wide = pen.measureText(label).width;
      if (x + 3 < taken || x + wide + 4 > right) continue;
      pen.fillText(label, x + 3, y - 3);
      taken = x + wide + 8;
    }
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function drawMark(pen, plot) {
  const x = plot.x(plot.marked), y = MARGIN.top + plot.inner.height;
  if (x < MARGIN.left || x > MARGIN.left + plot.inner.width) return;
  pen.fillStyle = plot.colour.warn;
  pen.beginPath();
  pen.moveTo(x, y - 9);
  pen.lineTo(x - 5, y);
  pen.lineTo(x + 5, y);
  pen.fill();
}

function drawBox(pen, [x0, y0, x1, y1], colour) {
  const tall = Math.abs(y1 - y0) > 12;
  Object.assign(pen, { fillStyle: colour.trace, strokeStyle: colour.trace, globalAlpha: 0.15 });
  const area = [x0, tall ? y0 : MARGIN.top, x1 - x0, tall ? y1 - y0 : 1e4];
  pen.fillRect(...area);
  pen.globalAlpha = 0.8;
  pen.strokeRect(...area);
  pen.globalAlpha = 1;
}

function drawCross(pen, plot) {
  const x = Math.round(plot.hover[0]) + 0.5;
  Object.assign(pen, { strokeStyle: plot.colour.text, globalAlpha: 0.35, lineWidth: 1 });
  pen.beginPath();
  pen.moveTo(x, MARGIN.top);
  pen.lineTo(x, MARGIN.top + plot.inner.height);
  pen.stroke();
  pen.globalAlpha = 1;
}

/** The whole spectrum, small, with the part in sight framed. */
function drawOverview(pen, plot, width, height) {
  const { range } = plot.spectrum, values = smoothOf(plot.spectrum, OVERVIEW);
  const [low, high] = quantiles(values, range[0], range[1], 0.005, 0.995);
  const [from, to] = range.map((i) => plot.wave[i]);
  const x = (wave) => ((wave - from) / (to - from)) * width, y = (v) => height - 3 - ((v - low) / Math.max(high - low, 1e-9)) * (height - 6);
  pen.beginPath();
  for (let i = range[0]; i <= range[1]; i += 6) if (Number.isFinite(values[i])) pen.lineTo(x(plot.wave[i]), Math.max(1, Math.min(height - 1, y(values[i]))));
  Object.assign(pen, { strokeStyle: plot.colour.quiet, lineWidth: 1 });
  pen.stroke();
  const [left, right] = plot.view.map((w) => Math.max(0, Math.min(width, x(plot.observed(w)))));
  Object.assign(pen, { fillStyle: plot.colour.trace, strokeStyle: plot.colour.trace, globalAlpha: 0.12 });
  pen.fillRect(left, 0, right - left, height);
  pen.globalAlpha = 0.7;
  pen.strokeRect(left + 0.5, 0.5, Math.max(2, right - left - 1), height - 1);
  pen.globalAlpha = 1;
}
