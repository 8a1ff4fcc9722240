// The page shows the desk. Text goes in as textContent, never as markup.

const SURE = 0.9;
const KIND_OF = { GALAXY: "galaxy", QSO: "quasar", STAR: "star" };

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function pressable(button, onClick) {
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    button.blur();
    onClick();
  });
  return button;
}

function chip(cap, text, onClick) {
  const button = element("button", "");
  button.append(element("kbd", cap), text);
  return pressable(button, onClick);
}

function showDesk(desk) {
  const { parts, header, here, object } = desk;
  if (!header || !here) return;
  parts.desk.classList.toggle("waiting", !object);
  parts.position.textContent = desk.ids.includes(here.id) ? `${desk.place + 1} / ${desk.ids.length}` : `– / ${desk.ids.length}`;
  parts.key.textContent = object?.key ?? "loading …";
  showBar(desk);
  showBadges(desk);
  showFacts(desk);
  showNeighbours(desk);
  showTools(desk);
  showZ(desk);
  showChoices(desk);
  showRevealed(desk);
  showAfterword(desk);
  showRate(desk);
  showSync(desk);
  showKeys(desk);
  if (!desk.plot.hover) showReading(parts, null);
  parts.pace.textContent = [header.today ? `${header.today} today` : "", header.per_hour ? `${header.per_hour} an hour` : ""].filter(Boolean).join(" · ");
  parts.catalogue.disabled = !object?.has_truth;
  parts.accept.disabled = !object?.proposal;
  parts.empty.hidden = !object || Boolean(object.spectrum);
  parts.empty.textContent = "No spectrum of this object.";
}

function showBar({ parts, ids, states }) {
  const count = (state) => ids.filter((id) => states[id] === state).length;
  for (const state of ["label", "cannot", "skip"]) parts[`bar-${state}`].style.width = `${(100 * count(state)) / Math.max(ids.length, 1)}%`;
  parts.bar.title = `${count("label")} labelled, ${count("cannot")} without a redshift, ${count("skip")} skipped, of ${ids.length}`;
}

function showBadges(desk) {
  const { object, here, states, parts, ids } = desk;
  const badges = [];
  if (object?.simulated) badges.push(["simulated", "warm"]);
  if (object && object.split !== "train") badges.push([`held out: ${object.split}`, ""]);
  if (states[here.id]) badges.push([{ label: object?.own?.grade ? `labelled, grade ${object.own.grade}` : "labelled", cannot: "no redshift", skip: "skipped", flag: "flagged" }[states[here.id]], "good"]);
  if (here.revealed) badges.push(["revealed", "warm"]);
  if (here.words) badges.push([`“${here.words}”`, ""]);
  if (here.done) badges.push([`All ${ids.length} are decided`, "good"]);
  parts.badges.replaceChildren(...badges.map(([text, kind]) => element("span", text, `badge ${kind}`)));
}

function showTools({ look, parts }) {
  parts.smooth.textContent = WIDTHS[look.level] ? `σ ${WIDTHS[look.level]} px` : "raw";
  for (const name of ["template", "ghosts", "lines", "noise"]) parts[name].setAttribute("aria-pressed", look[name]);
  parts.frame.setAttribute("aria-pressed", look.rest);
}

function zText(z) {
  return z === null ? "" : z.toFixed(5);
}

function showZ({ here, parts, root }) {
  if (root.activeElement !== parts.z && document.activeElement !== parts.z) parts.z.value = zText(here.z);
  parts.z.placeholder = here.shown ? "no z yet" : "…";
  parts.origin.textContent = here.origin === "proposal" ? "the model's" : here.origin ?? "";
  for (const button of parts.candidates.querySelectorAll("button")) button.classList.toggle("on", button.dataset.at === String(here.candidate));
}

function showChoices(desk) {
  const { parts, here, object } = desk, choices = desk.choices();
  const made = choices.filter(({ origin }) => here.revealed || origin !== "proposal").map(({ z, name, note, origin }, i) => {
    const button = pressable(element("button", "", `candidate${i === here.candidate ? " on" : ""}${origin === "proposal" ? " told" : ""}`), () => desk.choose(i));
    if (origin !== "proposal") button.append(element("sup", String(i + 1)));
    button.append(z.toFixed(4));
    button.dataset.at = i;
    button.title = origin === "proposal" ? `The model ${name}, ${note}` : `${name}, ${note}`;
    button.addEventListener("pointerenter", () => haunt(desk, i));
    button.addEventListener("pointerleave", () => haunt(desk, null));
    return button;
  });
  if (object && !object.fit) made.push(element("span", "fitting …", "quiet"));
  parts.candidates.replaceChildren(...made);
  showVerdict(parts, object?.fit);
}

/** What the template fit says, in words: its class and how sure it is, or why it is not. */
function showVerdict({ verdict }, fit) {
  const [best] = fit?.candidates ?? [], isSure = best && fit.confidence >= SURE;
  const said = best ? `Template fit: ${KIND_OF[best.name]}, z ${best.z.toFixed(5)} ± ${best.error.toPrecision(1)}, ${Math.round(100 * fit.confidence)} % sure.` : "";
  verdict.replaceChildren(element("span", said, isSure ? "sure" : "unsure"), element("span", fit?.warning ? ` ${fit.warning}` : ""));
  verdict.title = `${said} ${fit?.warning ?? ""}`;
}

function showSync({ ledger, parts, answered, sentAt }) {
  const waiting = ledger.events.length, isLate = waiting && !answered && performance.now() - sentAt > 2000;
  parts.sync.textContent = waiting ? (isLate ? `${waiting} kept in this browser until the server answers` : `saving ${waiting}`) : "saved";
  parts.sync.className = `sync ${waiting ? (isLate ? "late" : "busy") : ""}`;
}

function showReading(parts, reading) {
  parts.readout.classList.toggle("quiet", !reading);
  if (!reading) return void (parts.readout.textContent = "click a line · drag · wheel · Shift-drag");
  const { wave, rest, flux, sigma, line } = reading, noise = Number.isFinite(sigma) ? ` ± ${sigma.toPrecision(2)}` : " masked";
  const parted = [`${wave.toFixed(1)} Å`, rest && `rest ${rest.toFixed(1)}`, Number.isFinite(flux) ? `${flux.toPrecision(3)}${noise}` : "masked",
    line && `${line.label} ${line.away < 0 ? "−" : "+"}${Math.abs(line.away).toFixed(0)} km/s`];
  parts.readout.textContent = parted.filter(Boolean).join(" · ");
}

/** The sheet of keys, and every button's key on it; both as the table has them. */
function showKeys({ parts, root, header }) {
  const text = JSON.stringify(header.groups);
  if (parts.keys.dataset.of === text) return;
  parts.keys.dataset.of = text;
  parts["keys-file"].textContent = `Other keys: write lines like next = "m" into ${header.keys_file}. What an action is called there shows while the cursor rests on it.`;
  parts.keys.replaceChildren(...Object.entries(header.groups).map(([heading, keys]) => {
    const column = element("section", "");
    column.append(element("h4", heading), ...keys.map(({ label, sentence, action }) => {
      const row = Object.assign(element("p", ""), { title: action });
      row.append(element("kbd", label), element("span", sentence));
      return row;
    }));
    return column;
  }));
  for (const { action, label } of Object.values(header.groups).flat()) root.querySelectorAll(`[data-do="${action}"]`).forEach((button) => capped(button, label));
}

function capped(button, label) {
  button.dataset.about ??= button.title;
  button.title = `${button.dataset.about} ( ${label} )`;
  const cap = button.querySelector("kbd");
  if (cap) cap.textContent = label;
  if (button.classList.contains("cap")) button.textContent = label;
}
