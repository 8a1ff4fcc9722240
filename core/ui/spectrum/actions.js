// What each action of the key table does; buttons name the same actions.

function actionsOf(desk) {
  const { parts, look, plot } = desk;
  const looked = (change) => () => {
    change();
    remember(look);
    plot.draw();
    desk.follow();
    showTools(desk);
  };
  return {
    "grade-1": () => desk.grade(1), "grade-2": () => desk.grade(2), "grade-3": () => desk.grade(3), "grade-4": () => desk.grade(4),
    cannot: () => desk.conclude("cannot", "no redshift can be told"),
    star: () => desk.conclude("star", "a star"),
    skip: () => openPalette(desk, "skip", "Skip, because", desk.header.skip_reasons),
    flag: () => openPalette(desk, "flag", "Flag", desk.header.flags),
    catalogue: () => (desk.object.has_truth ? desk.conclude("catalogue", "every value taken from the catalogue") : desk.say("The catalogue knows nothing of this object.", true)),
    undo: () => desk.undo(),
    accept: () => desk.accept(),
    "candidate-next": () => desk.choose(desk.here.candidate + 1),
    "candidate-previous": () => desk.choose(desk.here.candidate < 0 ? -1 : desk.here.candidate - 1),
    "nudge-down": () => desk.nudge(-1), "nudge-up": () => desk.nudge(1),
    "nudge-down-fine": () => desk.nudge(-0.1), "nudge-up-fine": () => desk.nudge(0.1),
    refit: () => refit(desk),
    "line-next": () => nameLine(desk, 1), "line-previous": () => nameLine(desk, -1),
    box: () => parts.z.select(),
    reveal: () => reveal(desk),
    again: () => lookAgain(desk),
    rate: () => takeRate(desk), "rate-save": () => saveRate(desk), "rate-clear": () => clearRate(desk),
    comment: () => openPalette(desk, "comment", "Comment on this decision", desk.header.comments),
    "smooth-more": looked(() => (look.level = Math.min(look.level + 1, WIDTHS.length - 1))),
    "smooth-less": looked(() => (look.level = Math.max(look.level - 1, 0))),
    template: looked(() => (look.template = !look.template)),
    ghosts: looked(() => (look.ghosts = !look.ghosts)),
    lines: looked(() => (look.lines = !look.lines)),
    noise: looked(() => (look.noise = !look.noise)),
    frame: looked(() => plot.setRest(!look.rest)),
    whole: () => plot.whole(),
    next: () => desk.step(1), previous: () => desk.step(-1),
    go: () => openPalette(desk, "go", "Go to", []),
    copy: () => copyPlace(desk),
    help: () => (parts.help.hidden = !parts.help.hidden),
  };
}

/** A small sheet that asks for a word: numbers choose, text can be typed. */
function openPalette(desk, kind, title, words) {
  const { palette } = desk.parts;
  desk.asking = { kind, words };
  desk.parts["palette-title"].textContent = title;
  desk.parts["palette-choices"].replaceChildren(...words.map((word, i) => chip(`${i + 1}`, word, () => answer(desk, word))));
  desk.parts["palette-words"].value = "";
  desk.parts["palette-words"].placeholder = kind === "go" ? "key, specobjid or number" : "or in your own words";
  palette.hidden = false;
  if (kind === "go") desk.parts["palette-words"].focus();
}

function keyInPalette(desk, event) {
  const { words } = desk.asking, chosen = words[Number(event.key) - 1];
  if (event.key === "Escape") desk.closeAll();
  else if (chosen) answer(desk, chosen);
  else if (event.key === "Enter") answer(desk, "");
  else if (event.key.length === 1) return void desk.parts["palette-words"].focus();
  return true;
}

function answer(desk, words) {
  const { kind } = desk.asking;
  desk.closeAll();
  desk.parts["palette-words"].blur();
  if (kind === "skip") desk.conclude("skip", words ? `skipped, ${words}` : "skipped", { words });
  else if (kind === "flag") flagged(desk, words);
  else if (kind === "comment") commented(desk, words);
  else if (words.trim()) desk.seek(words.trim());
}

function flagged(desk, words) {
  if (!words) return;
  desk.record("flag", { words });
  desk.say(`${desk.object.key}: flagged, ${words}.`);
  showDesk(desk);
  desk.sync();
}

/** Words that go with the next decision on this object; none takes them out again. */
function commented(desk, words) {
  desk.here.words = words.trim();
  desk.say(words.trim() ? `The comment goes with your decision: ${words.trim()}.` : "No comment.");
  showDesk(desk);
}

/** The two fields: Enter takes what was typed, Esc leaves it. */
function listenToBoxes(desk, signal) {
  const { z, "palette-words": words } = desk.parts;
  const take = () => {
    const value = Number(z.value.trim().replace(",", ".")), [low, high] = desk.header.z_range;
    const isGood = z.value.trim() !== "" && Number.isFinite(value) && value >= low && value <= high;
    if (isGood && Math.abs(value - (desk.here.z ?? NaN)) !== 0 && z.value !== zText(desk.here.z)) desk.setZ(value, "typed");
    else if (!isGood && z.value !== zText(desk.here.z)) desk.say(`z must be a number from ${low} to ${high}; got "${z.value}".`, true);
    showZ(desk);
  };
  z.addEventListener("keydown", (event) => {
    if (event.key === "Enter") take();
    if (event.key === "Escape") z.value = zText(desk.here.z);
    if (["Enter", "Escape"].includes(event.key)) z.blur();
  }, { signal });
  z.addEventListener("blur", take, { signal });
  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter") answer(desk, words.value);
    if (event.key === "Escape") {
      words.blur();
      desk.closeAll();
    }
  }, { signal });
}

const LOOK = "lookback/look";

/** How this person likes to look at spectra, from one visit to the next. */
function remembered(defaults) {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(LOOK)) };
  } catch (error) {
    console.warn("Lookback: no preferences kept in this browser", error);
    return defaults;
  }
}

function remember(look) {
  try {
    localStorage.setItem(LOOK, JSON.stringify(look));
  } catch (error) {
    console.warn("Lookback: no preferences kept in this browser", error);
  }
}
