// The desk: where the person is, what they decided, and which keys do what. It moves on by itself;
// the server catches up, brings the next objects, and answers with what the store has.

const AHEAD = 12, BEHIND = 2, KEPT = 80, PATIENCE = 3000, LONGEST = 30000;
const NEEDS_OBJECT = new Set(["grade-1", "grade-2", "grade-3", "grade-4", "cannot", "star", "skip", "flag", "catalogue", "rate", "rate-save", "comment", "next", "previous"]);
const STATE_OF = { grade: "label", cannot: "cannot", star: "cannot", skip: "skip", catalogue: "label" };
const STEP = 5e-4;

class Desk {
  constructor(root, ledger) {
    this.root = root;
    this.ledger = ledger;
    this.look = remembered({ lines: true, noise: false, rest: false, level: 2, template: true, ghosts: false });
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((e) => [e.dataset.part, e]));
    Object.assign(this, { objects: new Map(), stale: new Set(), states: {}, ids: [], held: [], place: 0, attempt: 0, sentAt: 0, answered: true, patience: PATIENCE, told: new Set(), rates: new Map(), drafts: new Map(), afterword: null });
    this.plot = new Plot(this.parts, this.look, { at: (reading) => showReading(this.parts, reading), click: () => openNames(this), drawn: () => this.follow() });
    this.curve = new Curve(this.parts.curve, (meant) => pickOnCurve(this, meant));
    this.actions = actionsOf(this);
    this.abort = new AbortController();
    const signal = this.abort.signal;
    document.addEventListener("keydown", (event) => this.onKey(event), { signal, capture: true });
    root.addEventListener("click", (event) => this.onClick(event), { signal });
    listenToBoxes(this, signal);
    listenToRate(this, signal);
    this.curve.listen(signal);
    this.parts.callouts.addEventListener("click", (event) => enlarge(this, event.offsetX), { signal });
    this.timer = setInterval(() => this.tick(), 500);
  }

  destroy() {
    this.abort.abort();
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.plot.destroy();
  }

  // -- from the server ------------------------------------------------------------------------

  receive(header) {
    this.plot.setup(header);
    this.bases = header.bases ?? this.bases;
    this.merge(header);
    if (header.token === this.token && header.serial < this.header.serial) return;
    if (this.header && header.annotator !== this.header.annotator) [...this.objects.keys()].forEach((id) => this.stale.add(id));
    this.header = header;
    this.ledger.open(header.workspace, header.annotator);
    openDrafts(this, header);
    this.ledger.forget(header.acked);
    if (header.attempt === this.attempt) Object.assign(this, { answered: true, patience: PATIENCE });
    this.ids = header.ids;
    this.states = this.foreseen(header.states);
    if (header.token !== this.token) this.start(header);
    else if (header.goto.nonce !== this.nonce) this.goTo(header.goto.object);
    this.nonce = header.goto.nonce;
    if (this.here?.done && this.ids.some((id) => isOpen(this.states[id]))) this.advance();
    this.hearRefusals(header.refused);
    this.present();
    this.replay();
    showDesk(this);
    this.sync();
    this.prepare();
  }

  /** Smooth what is ahead while nothing else is to do, so that it is drawn at once when it is its turn. */
  prepare() {
    const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));
    const next = this.wanted().map((id) => this.objects.get(id)?.spectrum).find((s) => s && !(s.smooth[this.look.level] && s.smooth[OVERVIEW]));
    if (!next) return;
    idle(() => {
      [this.look.level, OVERVIEW].forEach((level) => smoothOf(next, level));
      this.prepare();
    });
  }

  start(header) {
    this.token = header.token;
    this.held = [];
    this.goTo(header.at);
  }

  merge({ objects, fits, rates }) {
    keepRates(this, rates);
    for (const object of objects) {
      const { fit, told } = this.objects.get(object.id) ?? {};
      this.objects.set(object.id, { fit, ...object, told: told || object.told, spectrum: inUnits(object.spectrum) });
      this.stale.delete(object.id);
    }
    for (const [id, fit] of Object.entries(fits)) if (this.objects.has(+id)) this.objects.get(+id).fit = fit;
    const near = new Set([this.here?.id, ...this.wanted()]);
    for (const id of this.objects.keys()) if (this.objects.size > KEPT && !near.has(id)) this.objects.delete(id);
  }

  /** The states as they will be once the store has what is under way. */
  foreseen(states) {
    const known = { ...states };
    for (const event of this.ledger.events) {
      if (event.kind === "undo") delete known[event.object];
      else if (STATE_OF[event.kind]) known[event.object] = STATE_OF[event.kind];
    }
    return known;
  }

  hearRefusals(refused) {
    for (const { client, sequence, sentence } of refused) {
      const key = `${client} ${sequence}`;
      if (!this.told.has(key)) this.say(sentence, true);
      this.told.add(key);
    }
  }

  // -- to the server --------------------------------------------------------------------------

  /** Objects that should be at hand: this one, those ahead that are not decided, then those skipped, a few behind. */
  wanted() {
    const at = this.place, order = [...this.ids.slice(at + 1), ...this.ids.slice(0, at)];
    const ahead = [...order.filter((id) => isOpen(this.states[id])), ...order.filter((id) => this.states[id] === "skip")].slice(0, AHEAD);
    const beside = [this.ids[at + 1], ...Array.from({ length: BEHIND }, (_, k) => this.ids[at - 1 - k])];
    return [...new Set([this.here?.id, ...ahead, ...beside])].filter((id) => id !== undefined && id !== null);
  }

  /** Send what the server should know, one message under way at a time. */
  sync() {
    if (!this.here || !this.answered) return;
    const wanted = this.wanted();
    const want = wanted.filter((id) => !this.objects.has(id) || this.stale.has(id));
    const fit = wanted.filter((id) => this.objects.get(id)?.fit === undefined);
    const rate = ratesWanted(this);
    const moved = this.here.id !== this.reported;
    if (this.ledger.events.length || want.length || fit.length || rate.length || moved || this.sought) this.post({ want, fit, rate });
  }

  post(wishes) {
    this.reported = this.here.id;
    this.answered = false;
    this.sentAt = performance.now();
    this.send({ attempt: ++this.attempt, events: this.ledger.events, at: this.here.id, find: this.sought ?? null, bases: !this.bases, ...wishes });
    this.sought = null;
    showSync(this);
  }

  /** Ask the server for the object that a text means, and go there. */
  seek(text) {
    this.sought = { text, nonce: `${this.ledger.client}-${this.attempt}` };
    this.sync();
  }

  tick() {
    if (!this.answered && performance.now() - this.sentAt > this.patience) Object.assign(this, { answered: true, patience: Math.min(2 * this.patience, LONGEST) });
    this.sync();
    showSync(this);
  }

  // -- moving ---------------------------------------------------------------------------------

  goTo(id) {
    const place = this.ids.indexOf(id);
    if (place >= 0) this.place = place;
    this.here = { id, z: null, origin: null, sigma: null, revealed: false, words: "", shown: false, since: null, candidate: -1, mark: null };
    closeNames(this);
    this.present();
    showDesk(this);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.sync(), 120);
  }

  step(by) {
    const next = this.place + by;
    if (next < 0 || next >= this.ids.length) return this.say(by > 0 ? "This is the last one." : "This is the first one.");
    return this.goTo(this.ids[next]);
  }

  /** To the next object that is not decided; those skipped come after all others. */
  advance() {
    const order = [...this.ids.slice(this.place + 1), ...this.ids.slice(0, this.place + 1)];
    const next = order.find((id) => isOpen(this.states[id])) ?? order.find((id) => this.states[id] === "skip" && id !== this.here.id);
    if (next !== undefined) return this.goTo(next);
    this.here.done = true;
    return showDesk(this);
  }

  get object() { return this.objects.get(this.here?.id); }
  get isReady() { return Boolean(this.object && this.object.fit !== undefined); }

  /** Put the object on the page when it is there, and a redshift when one is known. */
  present() {
    if (!this.here || !this.object) return;
    if (!this.here.shown) {
      Object.assign(this.here, { shown: true, since: performance.now(), words: this.object.own?.words ?? "" });
      if (this.object.told) expose(this, EARLIER);
      this.plot.z = null;
      this.plot.show(this.object.spectrum);
      showPictures(this.parts, this.object);
    }
    if (this.here.z === null && this.isReady) this.suggest();
    this.follow();
  }

  suggest() {
    const { own, fit } = this.object;
    if (own?.action === "label") this.setZ(own.z, "own label");
    else if (fit.candidates.length) this.choose(0);
  }

  // -- redshift -------------------------------------------------------------------------------

  setZ(z, origin, more = {}) {
    const [low, high] = this.header.z_range;
    Object.assign(this.here, { z: Math.max(low, Math.min(high, z)), origin, sigma: null, candidate: -1, zAt: performance.now() }, more);
    this.plot.setZ(this.here.z);
    showZ(this);
    rateFollows(this);
    this.follow();
  }

  /** Draw what follows the redshift at the next frame. */
  follow() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.header && this.here && this.plot.colour) drawFollowers(this);
    });
  }

  nudge(by) {
    const z = this.here.z ?? 0;
    this.setZ(z + by * STEP * (1 + z), "nudged");
  }

  choices() {
    const { fit, proposal } = this.object ?? {};
    const fitted = (fit?.candidates ?? []).map((c, i) => ({ z: c.z, sigma: c.error, origin: `candidate ${i + 1}`, name: c.name, note: `Δχ² ${c.delta_chi2}` }));
    const told = proposal && (this.here.revealed || (fit && !fitted.length));
    return told ? [...fitted, { z: proposal.z.value, sigma: null, origin: "proposal", name: proposal.model, note: `run ${proposal.run}` }] : fitted;
  }

  choose(index) {
    const choices = this.choices();
    if (!choices.length) return this.say("There are no candidates: type a redshift with z, or point at a line and press the full stop.");
    const at = ((index % choices.length) + choices.length) % choices.length, { z, origin, sigma } = choices[at];
    if (origin === "proposal") expose(this, "candidate");
    this.setZ(z, origin, { candidate: at, sigma });
    return showChoices(this);
  }

  accept() {
    const proposal = this.object?.proposal;
    if (!proposal) return this.say("No model has predicted this object yet.");
    expose(this, "taken");
    this.setZ(proposal.z.value, "proposal");
    return showDesk(this);
  }

  // -- decisions ------------------------------------------------------------------------------

  record(kind, more = {}) {
    const { here, object } = this;
    const said = object.proposal ? { proposal: object.proposal.z.value, run: object.proposal.run } : {};
    const event = this.ledger.add({
      kind, object: here.id, batch: this.header.batch, queue: this.ids.includes(here.id) ? this.header.source : null,
      milliseconds: Math.round(performance.now() - here.since), origin: here.origin, ...exposure(here), ...(here.words ? { words: here.words } : {}), ...said, ...more,
    });
    if (STATE_OF[kind]) this.states[here.id] = STATE_OF[kind];
    if (kind === "flag") this.states[here.id] ??= "flag";
    return event;
  }

  grade(grade) {
    if (this.here.z === null) return this.say("There is no redshift yet: type one with z, take the model's with Enter, or point at a line and press the full stop.", true);
    const { z, sigma, origin } = this.here, object = this.object;
    return withRate(this, (sfr) => {
      this.record("grade", { z, sigma, grade, ...(sfr ? { sfr } : {}) });
      object.own = { action: "label", z, grade, words: this.here.words, source: origin === "proposal" ? "model-assisted" : "human" };
      rateSaved(this, sfr);
      judge(this, grade, sfr);
      this.say(`${object.key}: z ${z.toFixed(5)}, grade ${grade}${sfr ? ", and its star-formation rate" : ""}.`);
      this.leave();
    });
  }

  conclude(kind, sentence, more) {
    this.record(kind, more);
    dismissAfterword(this);
    this.object.own = kind === "skip" ? this.object.own : { action: "cannot", words: this.here.words };
    if (kind === "catalogue") this.stale.add(this.here.id);
    this.say(`${this.object.key}: ${sentence}.`);
    this.leave();
  }

  leave() {
    this.advance();
    this.sync();
  }

  /** Take back the newest act that still stands, wherever it was made, and go to its object. */
  undo() {
    const taken = new Set(this.ledger.events.filter((e) => e.undoes).map((e) => `${e.undoes.client} ${e.undoes.sequence}`));
    const acts = [...this.ledger.events.filter((e) => e.kind !== "undo").reverse(), ...this.header.recent];
    const act = acts.find((a) => !taken.has(`${a.client} ${a.sequence}`));
    if (!act) return this.say("There is nothing to undo.");
    this.ledger.add({ kind: "undo", object: act.object, undoes: { client: act.client, sequence: act.sequence } });
    delete this.states[act.object];
    if (this.objects.has(act.object)) this.objects.get(act.object).own = null;
    this.stale.add(act.object);
    dismissAfterword(this);
    this.goTo(act.object);
    this.say("Undone: this one is open again.");
    return this.sync();
  }

  say(sentence, isWarning = false) {
    this.parts.said.textContent = sentence;
    this.parts.said.classList.toggle("warn", isWarning);
  }

  // -- keys -----------------------------------------------------------------------------------

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !this.header || isElsewhere(event, this.root)) return;
    if (!this.parts.palette.hidden) return void (keyInPalette(this, event) && consume(event));
    if (event.key === "Escape") return void (this.closeAll(), dismissAfterword(this));
    const action = this.header.bindings[(event.shiftKey && event.key.startsWith("Arrow") ? "Shift+" : "") + event.key];
    if (!action) return;
    consume(event);
    if (!event.repeat || this.header.repeats.includes(action)) this.run(action);
  }

  onClick(event) {
    const button = event.target.closest("[data-do]");
    if (!this.parts.plot.contains(event.target)) closeNames(this);
    if (!button) return;
    button.blur();
    this.run(button.dataset.do);
  }

  /** Do it now, or when the object that it is meant for has come: no key is lost. */
  run(action) {
    const needsZ = action.startsWith("grade");
    const waits = NEEDS_OBJECT.has(action) && (needsZ ? !this.isReady : !this.object) && !(needsZ && this.here?.z !== null && this.object);
    if (this.held.length || waits || awaitsRate(this, action)) {
      this.held.push(action);
      this.say(`${this.held.length} key${this.held.length > 1 ? "s" : ""} held until the object is here.`);
    } else this.actions[action]?.();
  }

  replay() {
    const held = this.held.splice(0);
    held.forEach((action) => this.run(action));
  }

  closeAll() {
    this.parts.help.hidden = this.parts.palette.hidden = this.parts.names.hidden = true;
  }
}

/** Not decided, and not put off either. */
function isOpen(state) {
  return !state || state === "flag";
}

/** Typing in a field, using another widget, or pressing a key on a control: not meant for the desk. */
function isElsewhere(event, root) {
  const target = event.composedPath()[0];
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select, [contenteditable=true], [role=dialog], [role=listbox], [data-testid=stDataFrame]")) return true;
  const control = target.closest("button, a, [role=button], [role=tab], [role=option], [role=combobox], [role=slider]");
  return Boolean(control) && (["Enter", " "].includes(event.key) || (!root.contains(control) && event.key.startsWith("Arrow")));
}

function consume(event) {
  event.preventDefault();
  event.stopPropagation();
}
