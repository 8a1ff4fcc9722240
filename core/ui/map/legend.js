// What the colours and shapes mean, in words.

const OUTLINES = [
  '<circle cx="6" cy="6" r="5"/>', '<path d="M6 0 12 6 6 12 0 6z"/>', '<rect x="1" y="1" width="10" height="10"/>', '<path d="M6 0 12 11H0z"/>',
  '<path d="M4 0h4v4h4v4H8v4H4V8H0V4h4z"/>', '<path d="M6 0 7.6 4.2 12 4.4 8.6 7.2 9.7 11.6 6 9.1 2.3 11.6 3.4 7.2 0 4.4 4.4 4.2z"/>',
  '<path d="M3 1h6l3 5-3 5H3L0 6z"/>', '<path d="m2 0 4 4 4-4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4-4-4z"/>',
  '<circle cx="6" cy="6" r="4.6" fill="none" stroke-width="2"/>', '<rect x="1.5" y="1.5" width="9" height="9" fill="none" stroke-width="2"/>',
  '<path d="M6 .8 11.2 6 6 11.2.8 6z" fill="none" stroke-width="2"/>',
];

function showLegend(element, items) {
  element.replaceChildren(...items.map(({ name, count, colour, shape }) => {
    const item = document.createElement("span");
    item.innerHTML = `<svg viewBox="0 0 12 12" fill="${colour}" stroke="${colour}" stroke-width="0" aria-hidden="true">${OUTLINES[shape]}</svg>`;
    item.append(`${name} (${count.toLocaleString("en")})`);
    return item;
  }));
}

function showBar(element, bar) {
  element.hidden = !bar;
  if (!bar) return;
  element.querySelector(".title").textContent = bar.title;
  element.querySelector(".ramp").style.background = `linear-gradient(to top, ${bar.colours.join(", ")})`;
  element.querySelector(".ticks").replaceChildren(...bar.ticks.map(([at, text]) => {
    const tick = document.createElement("span");
    tick.style.bottom = `${100 * at}%`;
    tick.textContent = text;
    return tick;
  }));
}

function showTip(element, answer, x, y, width, height) {
  element.hidden = !answer;
  if (!answer) return;
  const [image, lines] = [element.querySelector("img"), element.querySelector(".lines")];
  image.hidden = !answer.picture;
  if (answer.picture) [image.src, image.alt] = [answer.picture, answer.lines[0]];
  lines.replaceChildren(...answer.lines.map((text, k) => Object.assign(document.createElement(k ? "span" : "b"), { textContent: text })));
  element.style.left = `${x > width / 2 ? x - 146 : x + 14}px`;
  element.style.top = `${Math.max(4, Math.min(y - 40, height - element.offsetHeight - 4))}px`;
}
