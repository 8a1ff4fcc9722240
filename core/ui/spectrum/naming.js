// A feature of the spectrum gets a name, and the redshift follows.

/** Lines that a feature could be, with the redshift that follows: first where the template fit is best, then the likeliest. */
function namesFor({ wave, isDip }, { lines, z_range }, curve) {
  const worth = (l) => (l.group === "quasar" ? 0 : 4) + (l.strong ? 2 : 0) + ((l.group === "absorption") === isDip ? 1 : 0) * (l.strong ? 1 : 0.5);
  const options = lines.map((line) => ({ line, z: wave / line.wave - 1 })).filter(({ z }) => z > -0.005 && z < z_range[1]);
  const told = options.map((option) => ({ ...option, delta: deltaAt(curve, option.z) }));
  return told.sort((a, b) => (a.delta === b.delta ? 0 : a.delta - b.delta) || worth(b.line) - worth(a.line) || b.line.wave - a.line.wave);
}

/** Take the feature under the cursor as the one to name; what was taken before stays when there is none, or the cursor has not moved. */
function takeFeature(desk) {
  const { plot, here, object } = desk, found = plot.hover && plot.hover !== here.mark?.hover ? plot.featureAtCursor() : null;
  if (found) here.mark = { ...found, hover: plot.hover, at: -1, options: namesFor(found, desk.header, object?.fit?.curve) };
  return here.mark;
}

/** The feature under the cursor is the next line of those it could be, or the one before. */
function nameLine(desk, by) {
  const mark = takeFeature(desk);
  if (!mark) return desk.say("Point at a feature of the spectrum first.");
  return callIt(desk, mark, mark.at < 0 && by < 0 ? mark.options.length - 1 : (mark.at + by + mark.options.length) % mark.options.length);
}

function callIt(desk, mark, at) {
  const { line, z } = mark.options[at];
  mark.at = at;
  desk.plot.marked = mark.wave;
  closeNames(desk);
  desk.setZ(z, `line ${line.name}`);
  desk.say(`The feature at ${mark.wave.toFixed(1)} Å as ${line.name}: z ${z.toFixed(5)} (${at + 1} of ${mark.options.length}).`);
}

/** A list of names beside the cursor; grades and other keys go on working while it is open. */
function openNames(desk) {
  const { names } = desk.parts, mark = takeFeature(desk);
  if (!mark) return;
  desk.plot.marked = mark.wave;
  const rows = mark.options.slice(0, 12).map(({ line, z, delta }, at) => {
    const row = pressable(element("button", ""), () => callIt(desk, mark, at));
    row.append(element("i", "", line.group), element("span", line.name), element("b", z.toFixed(4)), element("span", Number.isFinite(delta) ? `Δχ² ${delta < 100 ? delta.toFixed(1) : delta.toFixed(0)}` : "", "quiet"));
    return row;
  });
  names.replaceChildren(element("p", `The ${mark.isDip ? "dip" : "peak"} at ${mark.wave.toFixed(1)} Å is`, "quiet"), ...rows);
  names.hidden = false;
  const [x, y] = mark.hover, { clientWidth, clientHeight } = desk.parts.plot;
  names.style.left = `${Math.max(0, Math.min(x + 14, clientWidth - names.offsetWidth - 6))}px`;
  names.style.top = `${Math.max(0, Math.min(y - 20, clientHeight - names.offsetHeight))}px`;
  desk.plot.drawOver();
}

function closeNames(desk) {
  desk.parts.names.hidden = true;
}
