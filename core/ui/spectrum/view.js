// The page shows the desk. Text goes in as textContent, never as markup.

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
  showTools(desk);
  showZ(desk);
  showChoices(desk);
  showRevealed(desk);
  showAfterword(desk);
  showRate(desk);
  showSync(desk);
  showKeys(parts.keys, header.groups);
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

function showFacts({ object, parts }) {
  const rows = object ? [
    ["RA", object.ra === null ? "–" : object.ra.toFixed(5)], ["Dec", object.dec === null ? "–" : object.dec.toFixed(5)],
    ["S/N", object.sn === null ? "–" : object.sn.toFixed(1)], ["E(B−V)", object.ebv === null ? "–" : object.ebv.toFixed(3)],
  ] : [];
  parts.facts.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  if (object?.reason) parts.facts.append(element("dt", "asked because", "wide"), element("dd", object.reason, "wide"));
}

function showTools({ look, parts }) {
  parts.smooth.textContent = WIDTHS[look.level] ? `σ ${WIDTHS[look.level]} px` : "raw";
  for (const name of ["lines", "noise"]) parts[name].setAttribute("aria-pressed", look[name]);
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
    const button = pressable(element("button", z.toFixed(4), `candidate${i === here.candidate ? " on" : ""}${origin === "proposal" ? " told" : ""}`), () => desk.choose(i));
    button.dataset.at = i;
    button.title = origin === "proposal" ? `The model ${name}, ${note}` : `${name}, ${note} ( o and i go through these )`;
    return button;
  });
  const fit = object?.fit;
  if (object && !fit) made.push(element("span", "fitting …", "quiet"));
  if (fit?.confidence) made.unshift(element("span", `fit ${Math.round(100 * fit.confidence)} %`, fit.confidence < 0.9 ? "confidence low" : "confidence"));
  parts.candidates.title = fit?.warning ?? "";
  parts.candidates.replaceChildren(...made);
}

function showSync({ ledger, parts, answered, sentAt }) {
  const waiting = ledger.events.length, isLate = waiting && !answered && performance.now() - sentAt > 2000;
  parts.sync.textContent = waiting ? (isLate ? `${waiting} kept in this browser until the server answers` : `saving ${waiting}`) : "saved";
  parts.sync.className = `sync ${waiting ? (isLate ? "late" : "busy") : ""}`;
}

function showReading(parts, reading) {
  parts.readout.classList.toggle("quiet", !reading);
  if (!reading) return void (parts.readout.textContent = "drag pans, the wheel zooms, Shift-drag boxes");
  const { wave, rest, flux, sigma, line } = reading, noise = Number.isFinite(sigma) ? ` ± ${sigma.toPrecision(2)}` : " masked";
  const parted = [`${wave.toFixed(1)} Å`, rest && `rest ${rest.toFixed(1)}`, Number.isFinite(flux) ? `${flux.toPrecision(3)}${noise}` : "masked",
    line && `${line.name} ${line.away < 0 ? "−" : "+"}${Math.abs(line.away).toFixed(0)} km/s`];
  parts.readout.textContent = parted.filter(Boolean).join("  ·  ");
}

function showKeys(sheet, groups) {
  if (sheet.childElementCount) return;
  for (const [heading, keys] of Object.entries(groups)) {
    const column = element("section", "");
    column.append(element("h4", heading), ...keys.flatMap(({ label, sentence }) => {
      const row = element("p", "");
      row.append(element("kbd", label), element("span", sentence));
      return [row];
    }));
    sheet.append(column);
  }
}

function showPictures(parts, { composite, bands, fibre_arcsec }) {
  parts.picture.hidden = !composite;
  parts.bands.replaceChildren();
  if (!composite) return;
  paint(parts.composite, composite, 3);
  parts.fibre.setAttribute("r", fibre_arcsec / 2 / 0.396);
  parts.scale.setAttribute("d", `M5 60.5 h${5 / 0.396}`);
  for (const [i, name] of ["u", "g", "r", "i", "z"].entries()) {
    const figure = element("figure", ""), canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Band ${name}`);
    paint(canvas, bands.subarray(i * 4096, (i + 1) * 4096), 1);
    figure.append(canvas, element("figcaption", name));
    parts.bands.append(figure);
  }
}

/** Pixels of one or three channels onto a canvas; the first row of a stamp is its bottom. */
function paint(canvas, values, channels) {
  const { width, height } = canvas, picture = new ImageData(width, height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = ((height - 1 - row) * width + column) * channels, to = (row * width + column) * 4;
      for (let k = 0; k < 3; k++) picture.data[to + k] = values[from + (channels === 3 ? k : 0)];
      picture.data[to + 3] = 255;
    }
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}
