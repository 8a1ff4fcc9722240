// Blind, then revealed: the model's word appears when it is asked for, or after the grade; the log keeps which, and when.

const FAR = 5, EARLIER = "an earlier grade";
const COMPASS = { width: 168, height: 26, reach: 10 };

/** From here on the model's word is known: how it came, and how long after the object was on the page. */
function expose(desk, by) {
  const { here, object } = desk;
  if (here.revealed || !object?.proposal) return;
  Object.assign(here, { revealed: true, revealedBy: by, revealedAfter: by === EARLIER ? null : Math.round(performance.now() - here.since) });
}

/** What the log is told of it. */
function exposure({ revealed, revealedBy, revealedAfter }) {
  return revealed ? { revealed, revealed_by: revealedBy, revealed_after: revealedAfter } : { revealed };
}

function reveal(desk) {
  if (!desk.object) return;
  if (!desk.object.proposal) return void desk.say("No model has predicted this object yet.");
  expose(desk, "key");
  showDesk(desk);
}

/** After a grade: the model's word on what was just said. Whoever goes back to it is no longer blind. */
function judge(desk, grade, sfr) {
  const { object, here } = desk, said = object.proposal, rate = sfr?.values.sfr_tot_median ?? null;
  const rateAway = said?.sfr && rate !== null ? Math.abs(rate - said.sfr.value) / said.sfr.sigma : null;
  desk.afterword = said ? { id: here.id, key: object.key, z: here.z, grade, said, away: Math.abs(here.z - said.z.value) / said.z.sigma, rate, rateAway } : null;
  object.told = Boolean(said) || object.told;
}

function lookAgain(desk) {
  if (!desk.afterword) return desk.say("Nothing that a model has a word on was graded here yet.");
  const { id } = desk.afterword;
  dismissAfterword(desk);
  return desk.goTo(id);
}

function dismissAfterword(desk) {
  desk.afterword = null;
  showAfterword(desk);
}

function showAfterword({ afterword, parts }) {
  parts.afterword.hidden = !afterword;
  if (!afterword) return;
  const { key, z, grade, said, away, rate, rateAway } = afterword, isFar = Math.max(away, rateAway ?? 0) > FAR;
  parts.afterword.classList.toggle("far", isFar);
  parts["afterword-words"].replaceChildren(
    element("b", key), element("span", `z ${z.toFixed(5)}, grade ${grade}`),
    element("span", `the model says ${plusMinus(said.z.value, said.z.sigma)}, ${sigmas(away)} away`, away > FAR ? "loud" : ""), compass(said.z, z),
    ...(rateAway === null ? [] : [element("span", `log SFR ${rate.toFixed(2)}, the model says ${plusMinus(said.sfr.value, said.sfr.sigma)}, ${sigmas(rateAway)} away`, rateAway > FAR ? "loud" : "")]),
    ...(isFar ? [element("span", "Look again?", "loud")] : []),
  );
}

function showRevealed({ here, object, parts }) {
  const said = object?.proposal;
  parts.revealed.hidden = !here.revealed || !said;
  if (parts.revealed.hidden) return;
  const away = here.z === null ? "" : `, ${sigmas(Math.abs(here.z - said.z.value) / said.z.sigma)} from the z above`;
  parts.revealed.replaceChildren(
    element("b", `${said.model}, run ${said.run}`), element("span", `z ${plusMinus(said.z.value, said.z.sigma)}${away}`), compass(said.z, here.z),
    element("span", `noise ${said.z.noise.toPrecision(2)}, ignorance ${said.z.ignorance.toPrecision(2)}`, "quiet"),
    element("span", said.sfr ? `log SFR ${said.sfr.value.toFixed(2)} ± ${said.sfr.sigma.toFixed(2)}` : ""),
    element("span", object.class ? `catalogue class ${object.class}` : "", "quiet"),
  );
}

/** The model's p(z) with the person's z on it; one that lies outside stands at the edge as an arrow. */
function compass({ value, sigma }, z) {
  const { width, height, reach } = COMPASS, far = z === null ? 0 : (z - value) / sigma;
  const span = Math.min(Math.max(4, 1.15 * Math.abs(far)), reach), at = (s) => width / 2 + (s / span) * (width / 2 - 5);
  const bell = Array.from({ length: 61 }, (_, i) => -4 + i * (8 / 60)).filter((s) => Math.abs(s) <= span);
  const picture = svgShape("svg", { class: "compass", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "The model's p(z), and your z on it" });
  picture.append(svgShape("path", { class: "told", d: bell.map((s, i) => `${i ? "L" : "M"}${at(s).toFixed(1)} ${(height - 3 - (height - 6) * Math.exp(-0.5 * s * s)).toFixed(1)}`).join("") }));
  if (z === null) return picture;
  const x = at(Math.max(-span, Math.min(span, far))), tip = Math.sign(far) * 5;
  picture.append(Math.abs(far) > span ? svgShape("path", { class: "yours", d: `M${x - tip} 6L${x} ${height / 2}L${x - tip} ${height - 6}Z` }) : svgShape("line", { class: "yours", x1: x, x2: x, y1: 2, y2: height - 2 }));
  return picture;
}

function plusMinus(value, sigma) {
  const places = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(sigma))));
  return `${value.toFixed(places)} ± ${sigma.toFixed(places)}`;
}

function sigmas(away) {
  return `${away < 10 ? away.toFixed(1) : Math.round(away)} σ`;
}
