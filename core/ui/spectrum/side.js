// Beside the spectrum: pictures, facts, ways to look at this place elsewhere, and what resembles it.

const BANDS = ["u", "g", "r", "i", "z"];
const PIXEL_ARCSEC = 0.396;

function showFacts({ object, parts, header }) {
  const rows = object ? [
    ["RA", object.ra === null ? "–" : object.ra.toFixed(5)], ["Dec", object.dec === null ? "–" : object.dec.toFixed(5)],
    ["S/N", object.sn === null ? "–" : object.sn.toFixed(1)], ["E(B−V)", object.ebv === null ? "–" : object.ebv.toFixed(3)],
  ] : [];
  parts.facts.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  if (object?.reason) parts.facts.append(element("dt", "asked because", "wide"), element("dd", object.reason, "wide"));
  showViewers(parts, object, header.viewers);
}

/** Links to this place at others' sites; a simulated sky has no such place. */
function showViewers(parts, object, viewers) {
  const isPlaced = object && object.ra !== null && object.dec !== null, why = object?.simulated ? "Simulated: there is no such place on the real sky." : "No position is known.";
  parts.copy.disabled = !isPlaced;
  parts.viewers.replaceChildren(...viewers.map(({ name, url, sentence }) => {
    const link = element("a", name, "viewer");
    if (!isPlaced || object.simulated) return Object.assign(link, { title: why, ariaDisabled: "true" });
    return Object.assign(link, { title: sentence, target: "_blank", rel: "noopener noreferrer", href: url.replaceAll("{ra}", object.ra).replaceAll("{dec}", object.dec) });
  }));
}

async function copyPlace(desk) {
  const { ra, dec } = desk.object, text = `${ra.toFixed(6)} ${dec.toFixed(6)}`;
  try {
    await navigator.clipboard.writeText(text);
    desk.say(`Copied: ${text}`);
  } catch (error) {
    console.warn("Lookback: the clipboard is closed", error);
    desk.say(`This browser does not let a page copy. Position: ${text}`, true);
  }
}

function showPictures(parts, { composite, bands, fibre_arcsec }) {
  parts.picture.hidden = !composite;
  parts.bands.replaceChildren();
  if (!composite) return;
  paint(parts.composite, composite, 3);
  parts.fibre.setAttribute("r", fibre_arcsec / 2 / PIXEL_ARCSEC);
  parts["fibre-text"].textContent = `${fibre_arcsec}″ fibre`;
  parts.scale.setAttribute("d", `M5 60.5 h${5 / PIXEL_ARCSEC}`);
  parts.bands.append(...BANDS.map((name, i) => bandPicture(parts, name, bands.subarray(i * 4096, (i + 1) * 4096), composite)));
}

/** One band, small; enlarged while the cursor is on it. */
function bandPicture(parts, name, values, composite) {
  const figure = element("figure", ""), canvas = picture(values, 1, 64, `Band ${name}`);
  figure.title = `Band ${name}: enlarged while the cursor is here`;
  figure.append(canvas, element("figcaption", name));
  figure.addEventListener("pointerenter", () => paint(parts.composite, values, 1));
  figure.addEventListener("pointerleave", () => paint(parts.composite, composite, 3));
  return figure;
}

/** Labelled objects that resemble this one; a click goes there. */
function showNeighbours(desk) {
  const { parts, object } = desk, near = object?.neighbours ?? [];
  parts["neighbours-title"].hidden = !object;
  parts["neighbours-title"].textContent = near.length ? "Resembling, labelled" : "Nothing labelled resembles it yet";
  parts.neighbours.replaceChildren(...near.map((other) => {
    const button = pressable(element("button", "", "neighbour"), () => desk.seek(String(other.id)));
    button.title = `${other.key}: z ${other.z.toFixed(5)}, ${other.grade ? `grade ${other.grade}` : "no grade"}, ${other.source}. Click to go there.`;
    button.append(other.picture ? picture(other.picture, 3, 32, other.key) : element("span", "", "none"), element("span", other.z.toFixed(3)), element("i", other.grade ?? "–", `g${other.grade ?? 0}`));
    return button;
  }));
}

function picture(values, channels, size, label) {
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  paint(canvas, values, channels);
  return canvas;
}

/** Pixels of one or three channels onto a canvas; the first row of a stamp is its bottom. */
function paint(canvas, values, channels) {
  const { width, height } = canvas, drawn = new ImageData(width, height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = ((height - 1 - row) * width + column) * channels, to = (row * width + column) * 4;
      for (let k = 0; k < 3; k++) drawn.data[to + k] = values[from + (channels === 3 ? k : 0)];
      drawn.data[to + 3] = 255;
    }
  }
  canvas.getContext("2d").putImageData(drawn, 0, 0);
}
