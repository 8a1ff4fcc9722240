// What follows the redshift without the server: template, ghosts, enlarged lines, the place on the curve, the local refit.

function drawFollowers(desk) {
  const { plot, here, object, look, bases, header, parts } = desk, spectrum = object?.spectrum, isFitted = look.template && bases && spectrum && here.z !== null;
  plot.model = isFitted ? templateOf(bases, plot.grid, spectrum, here.z, look.level) : null;
  plot.ghosts = ghostsOf(desk);
  plot.drawOver();
  desk.callouts = drawCallouts(parts.callouts, plot, header.line_groups);
  desk.curve.draw(object?.fit, here.z, plot.colour);
}

/** The template as the trace is drawn: smoothed as much; null when none covers the redshift. */
function templateOf(bases, grid, spectrum, z, level) {
  const model = modelAt(bases, grid, spectrum, z);
  return model && (level ? smoothed(model.values, spectrum.sigma, WIDTHS[level]) : model.values);
}

/** The candidates whose lines are shown beside the present ones: all others, and the one that is pointed at. */
function ghostsOf({ object, haunting, look, here }) {
  const all = (object?.fit?.candidates ?? []).map(({ z }, i) => ({ number: i + 1, z, isPointed: i === haunting }));
  return all.filter(({ isPointed }, i) => isPointed || (look.ghosts && i !== here.candidate));
}

function haunt(desk, candidate) {
  desk.haunting = candidate;
  desk.follow();
}

/** A click on the curve means a candidate, or a redshift. */
function pickOnCurve(desk, { candidate, z }) {
  if (candidate !== undefined) desk.choose(candidate);
  else desk.setZ(z, "χ² curve");
}

/** A click on enlarged lines enlarges them in the plot. */
function enlarge({ callouts, plot }, x) {
  const group = callouts?.find(({ left, width }) => x >= left && x <= left + width);
  if (!group) return;
  const room = 0.6 * (group.high - group.low);
  plot.height = null;
  plot.move(...[group.low - room, group.high + room].map((w) => plot.shown(w * (1 + plot.z))));
}

function refit(desk) {
  const { here, object, bases, plot } = desk;
  if (!object?.spectrum || !bases || here.z === null) return desk.say("There is no redshift to start from: type one, or click on a line.", true);
  const found = refitNear(bases, plot.grid, object.spectrum, here.z);
  if (!found) return desk.say(`No template covers z ${here.z.toFixed(4)}.`, true);
  desk.setZ(found.z, "refit", { sigma: found.sigma });
  return desk.say(`Fitted again as a ${KIND_OF[found.name]}: z ${found.z.toFixed(5)} ± ${found.sigma.toPrecision(1)}, chi-square lower by ${found.gain.toFixed(1)}.`);
}
