// The star-formation rate: what the spectrum itself tells at this redshift, beside the eight numbers to save.

const SVG = "http://www.w3.org/2000/svg";
const STATISTICS = ["avg", "median", "mode", "entropy", "p2p5", "p16", "p84", "p97p5"];
const ASCENDING = ["p2p5", "p16", "median", "p84", "p97p5"];
const METHODS = { Halpha: "from Hα", D4000: "from the 4000 Å break, wide", none: "cannot be measured" };
const SETTLED = 200, AT_ONCE = 5, RATES_KEPT = 600;

/** What is asked of the server: the rate at the redshift before the person, and of the next objects at their best one. */
function ratesWanted(desk) {
  const { here } = desk, rests = performance.now() - (here.zAt ?? 0) > SETTLED || desk.held.includes("rate");
  const ahead = desk.wanted().filter((id) => id !== here.id).map((id) => [id, bestZ(desk.objects.get(id))]);
  const asked = here.z !== null && rests ? [[here.id, here.z], ...ahead] : ahead;
  return asked.filter(([id, z]) => z !== null && z !== undefined && !desk.rates.has(rateKey(id, z))).slice(0, AT_ONCE);
}

function bestZ(object) {
  return object?.own?.action === "label" ? object.own.z : object?.fit?.candidates[0]?.z;
}

function rateKey(id, z) {
  return `${id} ${z.toFixed(4)}`;
}

function keepRates(desk, rates) {
  for (const [id, rate] of rates) desk.rates.set(rateKey(id, rate.z), rate);
  for (const key of desk.rates.keys()) if (desk.rates.size > RATES_KEPT) desk.rates.delete(key);
}

/** The measured rate at the redshift on the page; undefined while it is under way. */
function measuredHere({ here, rates }) {
  return here?.z === null || here?.z === undefined ? undefined : rates.get(rateKey(here.id, here.z));
}

function awaitsRate(desk, action) {
  return action === "rate" && desk.object && desk.here.z !== null && !measuredHere(desk);
}

/** The numbers in the fields: a draft of this person's, else what stands. */
function rateShown({ here, object, drafts }) {
  return drafts.get(here.id) ?? { values: object?.rate ?? {}, taken: null };
}

/** Numbers that are not saved yet, of each object; a reload of this page brings them back to the person who typed them. */
function setDraft({ drafts, here, draftsAt }, draft) {
  if (draft) drafts.set(here.id, draft);
  else drafts.delete(here.id);
  try {
    sessionStorage.setItem(draftsAt, JSON.stringify([...drafts]));
  } catch (error) {
    console.warn("Lookback: numbers that are not saved do not survive a reload here", error);
  }
}

function openDrafts(desk, { workspace, annotator }) {
  const at = `lookback/rates/${workspace}/${annotator}`;
  if (at === desk.draftsAt) return;
  desk.draftsAt = at;
  try {
    desk.drafts = new Map(JSON.parse(sessionStorage.getItem(at) ?? "[]"));
  } catch (error) {
    desk.drafts = new Map();
    console.warn("Lookback: numbers of an earlier page cannot be read", error);
  }
}

function takeRate(desk) {
  const measured = measuredHere(desk);
  if (!measured) return desk.say("There is no redshift yet, so no distance: type one with z.", true);
  if (measured.method === "none") return desk.say(`No rate can be measured. ${measured.reason}`, true);
  setDraft(desk, { values: { ...measured.values }, taken: measured.z });
  showRate(desk);
  return desk.say(`The measured rate is in the fields, ${METHODS[measured.method]}: a grade saves it with the redshift. ${measured.reason}`);
}

/** The redshift has changed: what was measured at the old one goes, and once it rests the new one is measured. */
function rateFollows(desk) {
  dropTaken(desk);
  showRate(desk);
  clearTimeout(desk.rests);
  desk.rests = setTimeout(() => desk.sync(), SETTLED + 20);
}

/** A rate that was measured at another redshift is no longer this galaxy's. */
function dropTaken(desk) {
  const draft = desk.drafts.get(desk.here.id);
  if (!draft || draft.taken === null || (desk.here.z !== null && draft.taken.toFixed(4) === desk.here.z.toFixed(4))) return;
  setDraft(desk, null);
  desk.say(`The rate measured at z ${draft.taken.toFixed(4)} is out of the fields again, for the redshift has changed: p takes the one measured here.`, true);
}

/** What goes with a decision, or null when there is nothing new; throws a sentence when the numbers cannot be. */
function rateToSave(desk) {
  const draft = desk.drafts.get(desk.here.id);
  if (!draft) return null;
  const wrong = Object.entries(draft.values).find(([, v]) => v !== null && !Number.isFinite(v));
  if (wrong) throw new RateError(`The ${nameOfStatistic(wrong[0])} of the rate must be a number.`);
  const known = ASCENDING.map((name) => [`sfr_tot_${name}`, draft.values[`sfr_tot_${name}`]]).filter(([, v]) => v !== null && v !== undefined);
  const at = known.findIndex(([, v], i) => i > 0 && v < known[i - 1][1]);
  if (at > 0) throw new RateError(`Percentiles must not cross: the ${nameOfStatistic(known[at][0])}, ${known[at][1]}, is below the ${nameOfStatistic(known[at - 1][0])}, ${known[at - 1][1]}. Correct one, or take the numbers out.`);
  return { values: draft.values, taken: draft.taken };
}

class RateError extends Error {}

/** Run with the rate to save; a sentence when it cannot be saved. */
function withRate(desk, work) {
  try {
    return work(rateToSave(desk));
  } catch (error) {
    if (!(error instanceof RateError)) throw error;
    return desk.say(error.message, true);
  }
}

/** The rate is on its way: it stands now. */
function rateSaved(desk, sfr) {
  if (!sfr) return;
  const given = Object.fromEntries(Object.entries(sfr.values).filter(([, v]) => v !== null));
  desk.object.rate = { ...desk.object.rate, ...given };
  setDraft(desk, null);
}

function saveRate(desk) {
  return withRate(desk, (sfr) => {
    if (!sfr) return desk.say("No number has changed: type one, or take the measured rate with p.");
    desk.record("rate", { sfr, grade: desk.object.own?.grade ?? null });
    rateSaved(desk, sfr);
    showRate(desk);
    desk.say(`${desk.object.key}: the rate is saved${desk.object.own?.grade ? `, graded ${desk.object.own.grade} as its redshift` : ""}.`);
    return desk.sync();
  });
}

function clearRate(desk) {
  setDraft(desk, null);
  showRate(desk);
}

function nameOfStatistic(target) {
  const name = target.replace("sfr_tot_", "");
  return /^p\d/.test(name) ? `percentile ${name.slice(1).replace("p", ".")}` : { avg: "mean", entropy: "entropy", median: "median", mode: "mode" }[name];
}

function listenToRate(desk, signal) {
  const { rate } = desk.parts;
  rate.querySelector(".numbers").replaceChildren(...STATISTICS.map((name) => rateField(desk, `sfr_tot_${name}`, signal)));
}

function rateField(desk, target, signal) {
  const label = element("label", target.replace("sfr_tot_", "").replace(/^p(\d+)p?(\d*)$/, (_, a, b) => `${a}${b && "."}${b} %`)), input = document.createElement("input");
  Object.assign(input, { type: "text", inputMode: "decimal", autocomplete: "off", placeholder: "–" });
  input.dataset.target = target;
  input.addEventListener("input", () => {
    const { values, taken } = rateShown(desk), text = input.value.trim().replace(",", ".").replace("−", "-");
    setDraft(desk, { taken, values: { ...values, [target]: text === "" ? null : Number(text) } });
    showRate(desk);
  }, { signal });
  input.addEventListener("keydown", (event) => ["Enter", "Escape"].includes(event.key) && input.blur(), { signal });
  label.append(input);
  return label;
}

function showRate(desk) {
  const { parts, here, object, header } = desk;
  if (!header || !here) return;
  const measured = measuredHere(desk), draft = desk.drafts.get(here.id), { values } = rateShown(desk);
  for (const input of parts.rate.querySelectorAll("input")) {
    const value = values[input.dataset.target];
    if (desk.root.activeElement !== input) input.value = value === null || value === undefined ? "" : Number.isFinite(value) ? value.toFixed(3) : input.value;
    input.title = header.statistics[input.dataset.target];
    input.classList.toggle("changed", Boolean(draft) && value !== measured?.values[input.dataset.target]);
  }
  parts["rate-method"].textContent = !object || here.z === null ? "" : measured ? METHODS[measured.method] : "measuring …";
  parts["rate-method"].className = `badge ${{ Halpha: "good", D4000: "warm" }[measured?.method] ?? ""}`;
  parts["rate-state"].textContent = draft ? (draft.taken === null ? "not saved yet" : `measured at z ${draft.taken.toFixed(4)}, not saved yet`) : "";
  parts["rate-reason"].textContent = measured?.reason ?? "";
  parts["rate-take"].disabled = !measured || measured.method === "none";
  parts["rate-save"].disabled = parts["rate-clear"].disabled = !draft;
  drawRate(desk, measured);
  showRateFacts(parts, measured);
}

function showRateFacts({ "rate-facts": facts, "rate-lines": lines }, measured) {
  const known = measured && measured.lines.length ? [
    ["BPT class", measured.bpt, "Baldwin, Phillips & Terlevich: which light ionises the gas, from four lines that must all be seen"],
    ["dust E(B−V)", measured.ebv === null ? "–" : `${measured.ebv.toFixed(2)} mag`, "Of the gas, from Hα over Hβ"],
    ["beyond the fibre", `× ${(10 ** measured.aperture[0]).toFixed(2)} (${measured.aperture[0].toFixed(2)} ± ${measured.aperture[1].toFixed(2)} dex)`,
      measured.has_image ? "Total over fibre light in the r image" : "There is no image: a typical correction with its scatter"],
  ] : [];
  facts.replaceChildren(...known.flatMap(([name, value, help]) => [Object.assign(element("dt", name), { title: help }), element("dd", value)]));
  const rows = (measured?.lines ?? []).filter((line) => line.flux !== null);
  const cells = rows.map(({ name, flux, error, width }) => {
    const row = element("tr", ""), sn = flux / error;
    row.append(element("td", name.replace("Halpha", "Hα").replace("Hbeta", "Hβ")), element("td", `${flux.toFixed(1)} ± ${error.toFixed(1)}`), element("td", sn.toFixed(1), sn > 3 ? "seen" : "quiet"), element("td", width === null ? "–" : width.toFixed(1)));
    return row;
  });
  lines.hidden = !rows.length;
  lines.querySelector("tbody").replaceChildren(...cells);
}

/** The measured posterior, filled, and the model's beside it once revealed, on one axis of log rate. */
function drawRate({ parts, here, object }, measured) {
  const plot = parts["rate-plot"], said = here.revealed ? object?.proposal?.sfr : null;
  const [low, step, ...density] = measured?.curve ?? [];
  const ends = [...(density.length ? [low, low + step * (density.length - 1)] : []), ...(said ? [said.value - 3 * said.sigma, said.value + 3 * said.sigma] : [])];
  plot.replaceChildren();
  parts["rate-legend"].hidden = !said;
  if (!ends.length) return;
  const from = Math.min(...ends) - 0.1, to = Math.max(...ends) + 0.1, at = (v) => (280 * (v - from)) / (to - from) + 10;
  const points = density.map((p, i) => [low + i * step, p]);
  const told = said ? Array.from({ length: 61 }, (_, i) => said.value + ((i - 30) / 10) * said.sigma).map((v) => [v, Math.exp(-0.5 * ((v - said.value) / said.sigma) ** 2) / said.sigma / 2.5066]) : [];
  const every = to - from > 3 ? 1 : 0.5;
  for (let tick = every * Math.ceil(from / every); tick <= to; tick += every) plot.append(svgShape("line", { x1: at(tick), x2: at(tick), y1: 4, y2: 82, class: "tick" }), svgText(at(tick), 95, String(tick).replace("-", "−")));
  if (points.length) plot.append(rateCurve(points, at, "measured"), svgShape("line", { x1: at(measured.values.sfr_tot_median), x2: at(measured.values.sfr_tot_median), y1: 4, y2: 82, class: "median" }));
  if (told.length) plot.append(rateCurve(told, at, "told"));
}

/** Each curve fills the height: what matters is where it lies and how wide it is. */
function rateCurve(points, at, kind) {
  const top = Math.max(...points.map(([, p]) => p));
  return svgShape("path", { class: kind, d: points.map(([x, p], i) => `${i ? "L" : "M"}${at(x).toFixed(1)} ${(82 - (76 * p) / top).toFixed(1)}`).join("") });
}

function svgShape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

function svgText(x, y, words) {
  const made = svgShape("text", { x, y });
  made.textContent = words;
  return made;
}
