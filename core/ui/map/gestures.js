// Pointer, wheel, buttons and keys of the map.

const LEAST_PIXELS = 4;
const FINEST_PIXELS = 3;

function listen(cloud) {
  const { stage } = cloud.parts;
  cloud.root.querySelector(".tools").addEventListener("click", (event) => press(cloud, event.target.closest("button")?.dataset));
  stage.addEventListener("pointerdown", (event) => begin(cloud, event));
  stage.addEventListener("pointermove", (event) => move(cloud, event));
  stage.addEventListener("pointerup", (event) => end(cloud, event));
  stage.addEventListener("pointercancel", () => drop(cloud));
  stage.addEventListener("pointerleave", () => cloud.drag || cloud.point(-1));
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("dblclick", () => cloud.tell({ kind: "clear" }));
  stage.addEventListener("wheel", (event) => wheel(cloud, event), { passive: false });
  stage.addEventListener("keydown", (event) => key(cloud, event));
}

function press(cloud, data) {
  if (!data) return;
  if (data.tool) cloud.tool = data.tool;
  if (data.how) cloud.how = data.how;
  if (data.do) cloud.tell({ kind: data.do });
  if (data.zoom) zoom(cloud, Number(data.zoom), cloud.width / 2, cloud.height / 2);
  cloud.press();
}

function zoom(cloud, factor, x, y) {
  if (!cloud.view) return;
  if (factor) cloud.view.zoomAt(factor, x, y, cloud.width, cloud.height);
  else cloud.view.reset();
  cloud.point(-1);
  cloud.redraw();
}

function begin(cloud, event) {
  if (!cloud.view || event.button === 1) return;
  cloud.parts.stage.setPointerCapture(event.pointerId);
  const tool = event.button === 2 ? "pan" : cloud.tool;
  cloud.drag = { tool, x: event.offsetX, y: event.offsetY, lastX: event.offsetX, lastY: event.offsetY, far: 0 };
  cloud.path = tool === "pan" ? null : [placeAt(cloud, event)];
  cloud.point(-1);
}

function move(cloud, event) {
  const { drag } = cloud;
  if (!drag) return cloud.point(cloud.at(event.offsetX, event.offsetY));
  const step = Math.hypot(event.offsetX - drag.lastX, event.offsetY - drag.lastY);
  drag.far = Math.max(drag.far, Math.hypot(event.offsetX - drag.x, event.offsetY - drag.y));
  if (drag.tool === "pan") cloud.view.pan(event.offsetX - drag.lastX, event.offsetY - drag.lastY, cloud.width, cloud.height);
  else if (drag.tool === "box") cloud.path = box(cloud.path[0], placeAt(cloud, event));
  else if (step >= FINEST_PIXELS) cloud.path.push(placeAt(cloud, event));
  else return;
  [drag.lastX, drag.lastY] = [event.offsetX, event.offsetY];
  cloud.redraw();
}

function end(cloud, event) {
  const { drag, path } = cloud;
  cloud.drag = null;
  if (!drag || drag.tool === "pan") return;
  const row = cloud.at(event.offsetX, event.offsetY);
  if (drag.far < LEAST_PIXELS) drop(cloud);
  if (drag.far < LEAST_PIXELS && row >= 0) cloud.tell({ kind: "pick", row });
  if (drag.far >= LEAST_PIXELS) cloud.tell({ kind: "outline", outline: path, how: event.shiftKey ? "add" : event.altKey ? "subtract" : cloud.how });
}

function drop(cloud) {
  cloud.drag = cloud.path = null;
  cloud.redraw();
}

function wheel(cloud, event) {
  event.preventDefault();
  zoom(cloud, Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
}

function key(cloud, event) {
  const step = 0.15 * cloud.width, moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  if (moves[event.key]) cloud.view?.pan(...moves[event.key], cloud.width, cloud.height);
  else if (event.key === "+" || event.key === "=") zoom(cloud, 1.6, cloud.width / 2, cloud.height / 2);
  else if (event.key === "-") zoom(cloud, 0.625, cloud.width / 2, cloud.height / 2);
  else if (event.key === "0") zoom(cloud, 0);
  else if (event.key === "Escape") cloud.tell({ kind: "clear" });
  else return;
  event.preventDefault();
  cloud.redraw();
}

function placeAt(cloud, event) {
  return cloud.view.placeAt(event.offsetX, event.offsetY, cloud.width, cloud.height);
}

function box([x0, y0], [x1, y1]) {
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}
