// What was decided and is not yet in the store. Events carry a sequence number, survive a reload
// in this browser's storage, and are sent again until the server says that it has them.

const STORE = "lookback/events/";

class Ledger {
  constructor() {
    this.client = [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, "0")).join("");
    this.sequence = 0;
    this.drawer = null;
    this.events = [];
  }

  /** Write for an annotator of a workspace; events of theirs that an earlier page left are taken up. */
  open(workspace, annotator) {
    const drawer = `${STORE}${workspace}/${annotator}/`;
    if (drawer === this.drawer) return;
    const known = new Set(this.events.map(nameOf));
    Object.assign(this, { drawer, workspace, annotator });
    this.events.push(...stored(drawer).filter((e) => !known.has(nameOf(e))));
    this.events.sort(inOrder);
  }

  add(event) {
    const entry = { ...event, annotator: this.annotator, client: this.client, sequence: ++this.sequence };
    this.events.push(entry);
    this.keep(entry);
    return entry;
  }

  /** Forget what the store has: ``acked`` maps a client to the highest sequence dealt with. */
  forget(acked) {
    const isDone = (event) => event.sequence <= (acked[event.client] ?? 0), done = this.events.filter(isDone);
    this.events = this.events.filter((event) => !isDone(event));
    done.forEach((event) => this.keep(event));
  }

  /** Write down all that stands out of the client and annotator of an event. */
  keep({ client, annotator }) {
    const place = `${STORE}${this.workspace}/${annotator}/${client}`;
    const mine = this.events.filter((e) => e.client === client && e.annotator === annotator);
    try {
      if (mine.length) localStorage.setItem(place, JSON.stringify(mine));
      else localStorage.removeItem(place);
    } catch (error) {
      console.warn("Lookback: this browser keeps nothing over a reload", error);
    }
  }
}

function stored(prefix) {
  try {
    return Object.keys(localStorage).filter((k) => k.startsWith(prefix)).flatMap((k) => JSON.parse(localStorage.getItem(k)));
  } catch (error) {
    console.warn("Lookback: events of an earlier page cannot be read", error);
    return [];
  }
}

function nameOf(event) {
  return `${event.client} ${event.sequence}`;
}

function inOrder(a, b) {
  return a.client === b.client ? a.sequence - b.sequence : a.client < b.client ? -1 : 1;
}
