// Make elements out of data. Text enters the page through text nodes alone.

const SVG = "http://www.w3.org/2000/svg";

/** Return an element; `props` are attributes, `on…` listeners; null and false leave one out. */
export function el(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

function svg(tag, props, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return node;
}

/** Return nodes for marked text: ours is bare, somebody else's isolated, a quotation marked. */
export function words(text) {
  if (Array.isArray(text)) return text.flatMap(words);
  if (text === null || text === undefined) return [];
  if (typeof text !== "object") return [document.createTextNode(String(text))];
  if ("quote" in text) return [el("q", {}, el("bdi", {}, text.quote))];
  return [el("bdi", {}, text.theirs)];
}

/** Return marked text as a plain string, for labels and announcements. */
export function plain(text) {
  if (Array.isArray(text)) return text.map(plain).join("");
  if (text === null || text === undefined) return "";
  return typeof text === "object" ? (text.quote ?? text.theirs) : String(text);
}

/** Return the numbered dot of a persona; `place` counts from 0. */
export function dot(place) {
  return el("span", { class: `key p${(place % 6) + 1}`, "aria-hidden": "true" }, String(place + 1));
}

/** Return a bar of a share 0..1. */
export function shareBar(share) {
  return svg("svg", { class: "bar", "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "track", width: "100%", height: "100%", rx: 3 }),
    svg("rect", { class: "fill", width: `${Math.max(1, 100 * share)}%`, height: "100%", rx: 3 }));
}

/** Return a bar that goes right of the middle for what raises the score, left for what lowers it. */
export function effectBar(one, scale) {
  const length = scale ? Math.min(48, (48 * Math.abs(one.effect)) / scale) : 0;
  return svg("svg", { class: "bar", "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "track", y: "40%", width: "100%", height: "20%" }),
    svg("rect", { class: `s${one.sign + 1}`, x: `${one.effect < 0 ? 50 - length : 50}%`,
      width: `${length}%`, height: "100%", rx: 2 }),
    svg("rect", { class: "axis", x: "50%", width: 1, height: "100%" }));
}

/** Return a small picture of all effects on an item: up raises its score, down lowers it. */
export function pulls(effects, scale, places) {
  const step = 16, half = 22, width = step * Math.max(1, places.length), foot = 2 * half + 12;
  const drawn = svg("svg", { class: "pulls", viewBox: `0 0 ${width} ${foot}`, width, height: foot,
    "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "axis", y: half - 0.5, width, height: 1 }));
  places.forEach((persona, at) => {
    const one = effects.find((effect) => effect.persona === persona);
    drawn.append(svg("text", { x: (at + 0.5) * step, y: foot - 1, class: one ? "" : "gone" }, String(at + 1)));
    if (!one || !scale) return;
    const height = Math.max(0.75, (half * Math.abs(one.effect)) / scale);
    drawn.append(svg("rect", { class: `s${one.sign + 1}`, x: at * step + 3, width: step - 6,
      y: one.effect < 0 ? half : half - height, height, rx: 1.5 }));
  });
  return drawn;
}

/** Say something to who listens to the page. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}
