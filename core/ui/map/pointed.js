// Carries "what is this galaxy?" from a map to Python and the answer back, so that only a small part of the page runs for it.

const listeners = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const key = data?.key, ask = (event) => event.detail.key === key && setStateValue("row", event.detail.row);
  document.removeEventListener("lookback-pointing", listeners.get(parentElement));
  document.addEventListener("lookback-pointing", ask);
  listeners.set(parentElement, ask);
  if (data?.row !== undefined) document.dispatchEvent(new CustomEvent("lookback-pointed", { detail: data }));
  return () => document.removeEventListener("lookback-pointing", listeners.get(parentElement));
}
