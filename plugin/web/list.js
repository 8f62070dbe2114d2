// Show the list, and let its items travel to their new places.

import { el, plain, pulls, words } from "./paint.js";

const SIGNS = { up: "▲", down: "▼", new: "✦", left: "▽", same: "" };
const MOVE = { duration: 520, easing: "cubic-bezier(.2,.7,.2,1)" };
const rows = new Map();

/** Forget everything shown. */
export function clear() {
  rows.clear();
  document.getElementById("rows").replaceChildren();
}

/** Show a list; `places` are the personas in the order of their numbers. */
export function show(list, places, why) {
  const holder = document.getElementById("rows");
  const before = new Map([...holder.children].map((node) => [node, node.getBoundingClientRect().top]));
  const now = list.rows.map((row) => filled(row, list.scale, places, why));
  const focused = document.activeElement;
  for (const node of before.keys()) if (!now.includes(node)) node.remove();
  now.forEach((node, at) => {
    if (holder.children[at] !== node) holder.insertBefore(node, holder.children[at] ?? null);
  });
  if (focused !== document.activeElement && holder.contains(focused)) focused.focus();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) now.forEach((node) => travel(node, before));
  document.getElementById("scale-hint").hidden = !places.length;
  const left = document.getElementById("left-box");
  left.hidden = !list.left.length;
  document.getElementById("left").replaceChildren(...list.left.map((row) =>
    el("li", { "data-item": row.item }, words(row.title), " ", el("span", { class: "moved down" }, row.moved))));
}

/** Return the node of an item in the list, if it is there. */
export const node = (item) => rows.get(item)?.isConnected ? rows.get(item) : null;

function travel(node, before) {
  if (!before.has(node)) {
    if (before.size) node.animate([{ opacity: 0, transform: "translateX(12px)" }, { opacity: 1 }], MOVE);
    return;
  }
  const by = before.get(node) - node.getBoundingClientRect().top;
  if (by) node.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], MOVE);
}

function filled(row, scale, places, why) {
  const node = rows.get(row.item) ?? made(row, why);
  rows.set(row.item, node);
  node.querySelector(".rank").replaceChildren(
    el("span", { class: "aside" }, "Rank "), String(row.rank ?? "–"));
  const fell = row.change === "up" && row.rank_before > node.parentNode?.children.length;
  node.querySelector(".moved").replaceChildren(
    ...(row.moved ? [el("span", { "aria-hidden": "true" }, SIGNS[row.change]), ` ${row.moved}`] : []));
  node.querySelector(".moved").className = `moved ${fell ? "new" : row.change}`;
  node.querySelector(".gist").replaceChildren(...row.gist.map((one) => el("span", {},
    el("b", { class: `s${one.sign + 1}` }, one.signed), " ", words(one.name),
    el("span", { class: "aside" }, ` ${one.direction} most.`))));
  node.querySelector(".picture").replaceChildren(
    ...(places.length ? [pulls(row.effects, scale, places)] : []));
  return node;
}

function made(row, why) {
  const id = `answer-${rows.size}`;
  const answer = el("div", { class: "answer", id, hidden: true });
  const button = el("button", { type: "button", class: "why", "aria-expanded": "false",
    "aria-controls": id, onclick: () => why(row.item, button, answer) },
    "Why this?", el("span", { class: "aside" }, " ", plain(row.title)));
  return el("li", { "data-item": row.item },
    el("div", { class: "row" },
      el("span", { class: "rank" }),
      el("div", { class: "what" },
        el("h3", {}, words(row.title)),
        el("p", { class: "moved" }),
        row.genres.length ? el("p", { class: "genres" }, row.genres.flatMap((one, at) => [at ? " · " : "", ...words(one)])) : null,
        el("p", { class: "gist" })),
      el("span", { class: "picture" }),
      button),
    answer);
}
