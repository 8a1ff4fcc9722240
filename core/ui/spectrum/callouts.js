// The lines that a redshift is checked by, enlarged side by side; they move with z.

const CALLOUT = { gap: 6, top: 15, bottom: 13 };
const COVERED = 0.6;

/** Groups of lines that the spectrum covers at a redshift, ascending. */
function groupsInSight(groups, { wave, spectrum, z }) {
  const [from, to] = spectrum.range.map((i) => wave[i] / (1 + z));
  return groups.filter(({ low, high }) => Math.min(high, to) - Math.max(low, from) > COVERED * (high - low));
}

function drawCallouts(canvas, plot, groups) {
  const pen = canvas.getContext("2d"), { clientWidth: width, clientHeight: height } = canvas;
  pen.clearRect(0, 0, width, height);
  if (!plot.spectrum || plot.z === null) return [];
  const found = groupsInSight(groups, plot), wide = (width + CALLOUT.gap) / Math.max(found.length, 1) - CALLOUT.gap;
  return found.map((group, i) => {
    const frame = { left: i * (wide + CALLOUT.gap), width: wide, top: CALLOUT.top, height: height - CALLOUT.top - CALLOUT.bottom };
    drawCallout(pen, plot, group, frame);
    return { ...group, ...frame };
  });
}

function drawCallout(pen, plot, { label, low, high }, frame) {
  const { wave, spectrum, colour, z } = plot, factor = 1 + z, span = [plot.pixel(low * factor), plot.pixel(high * factor)];
  const level = calloutLevel(plot, span);
  const x = (w) => frame.left + ((w / factor - low) / (high - low)) * frame.width, y = (v) => frame.top + ((level[1] - v) / (level[1] - level[0])) * frame.height;
  Object.assign(pen, { font: `10.5px ${colour.font}`, fillStyle: colour.text, textAlign: "left", textBaseline: "middle" });
  pen.fillText(label, frame.left + 1, frame.top - 8, frame.width);
  pen.save();
  pen.beginPath();
  pen.rect(frame.left, frame.top, frame.width, frame.height);
  pen.clip();
  Object.assign(pen, { fillStyle: colour.panel, globalAlpha: 0.6 });
  pen.fillRect(frame.left, frame.top, frame.width, frame.height);
  pen.globalAlpha = 1;
  drawGaps(pen, plot, span, frame, x);
  if (plot.look.lines) drawCalloutLines(pen, plot, [low, high], frame, x);
  const on = { wave, x, y };
  if (plot.look.level > 0) trace(pen, on, spectrum.good, span, colour.quiet, 0.7, 0.35);
  trace(pen, on, plot.values(), span, colour.trace, 1.2, 1);
  if (plot.model) trace(pen, on, plot.model, span, colour.model, 1.2, 0.95);
  pen.restore();
  Object.assign(pen, { font: `10px ${colour.code}`, fillStyle: colour.quiet, textAlign: "center" });
  pen.fillText(`${Math.round(((low + high) / 2) * factor)} Å`, frame.left + frame.width / 2, frame.top + frame.height + 8);
}

/** A flux range that holds the trace and the template. */
function calloutLevel(plot, [from, to]) {
  const seen = [quantiles(plot.values(), from, to, 0.01, 1), ...(plot.model ? [quantiles(plot.model, from, to, 0, 1)] : [])];
  const low = Math.min(...seen.map(([a]) => a)), high = Math.max(...seen.map(([, b]) => b)), room = Math.max(high - low, 1e-6);
  return [low - 0.1 * room, high + 0.12 * room];
}

function drawCalloutLines(pen, { lines, colour, z }, [low, high], { top, height }, x) {
  for (const { wave, group, strong } of lines) {
    if (wave < low || wave > high) continue;
    Object.assign(pen, { strokeStyle: colour[group], globalAlpha: strong ? 0.8 : 0.5, lineWidth: 1 });
    pen.setLineDash(group === "absorption" ? [4, 3] : group === "quasar" ? [2, 3] : []);
    pen.beginPath();
    pen.moveTo(x(wave * (1 + z)), top);
    pen.lineTo(x(wave * (1 + z)), top + height);
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

/** Masked pixels, greyed. */
function drawGaps(pen, { spectrum, wave, colour }, [from, to], { top, height }, x) {
  Object.assign(pen, { fillStyle: colour.quiet, globalAlpha: 0.16 });
  for (let i = from; i < to; i++) if (!Number.isFinite(spectrum.sigma[i])) pen.fillRect(x(wave[i]), top, x(wave[i + 1]) - x(wave[i]) + 0.5, height);
  pen.globalAlpha = 1;
}
