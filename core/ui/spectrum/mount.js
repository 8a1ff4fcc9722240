// Streamlit calls the default export at every new payload; the desk itself lives as long as its element.

const ledger = new Ledger();
const desks = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let desk = desks.get(parentElement);
  if (!desk) desks.set(parentElement, (desk = new Desk(parentElement, ledger)));
  desk.send = (value) => setStateValue("log", value);
  if (data) desk.receive(unpack(data));
  desk.plot.recolour();
  return () => {
    desk.destroy();
    desks.delete(parentElement);
  };
}
