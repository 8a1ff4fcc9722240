// Streamlit calls the default export at every new payload; the map itself, its zoom with it, lives as long as its element.

const clouds = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let cloud = clouds.get(parentElement);
  if (!cloud) clouds.set(parentElement, (cloud = new Cloud(parentElement)));
  cloud.send = (gesture) => setStateValue("gesture", gesture);
  if (data) cloud.receive(data);
  return () => {
    cloud.destroy();
    clouds.delete(parentElement);
  };
}
