// Show an answer: each sentence opens to its claims, how they are known, and their evidence.

import { dot, effectBar, el, shareBar, words } from "./paint.js";

let count = 0;
const MARKS = { verified: "✓", refuted: "✗", uncheckable: "?" };

/** Return sentences as a list of buttons that open; `attempt` switches off what a claim took away. */
export function sentences(lines, attempt) {
  return el("ol", { class: "sentences" }, lines.map((line) => sentence(line, attempt)));
}

/** Return a whole answer; `places` are the personas in the order of their numbers. */
export function card(shown, { attempt, names }) {
  return [
    shown.asked ? el("p", { class: "hint" }, "Asked: “", words(shown.asked), "”") : null,
    shown.lines.length ? sentences(shown.lines, attempt)
      : el("p", { class: "prose" }, words(shown.answer ?? "Nothing could be said that holds.")),
    shown.bars.length ? bars(shown.bars, names) : null,
    shown.dropped.length ? dropped(shown.dropped) : null,
    shown.error ? el("p", { class: "problem" }, "The language model failed: ", words(shown.error)) : null,
    el("p", { class: "stamp" }, shown.stamp.map((one) => el("span", {}, words(one)))),
  ].filter(Boolean);
}

function sentence(line, attempt) {
  if (!line.proofs.length) return el("li", { class: "fixed" }, words(line.words));
  const id = `proof-${(count += 1)}`, inside = el("div", { class: "inside", id, hidden: true });
  const button = el("button", { type: "button", class: "sentence", "aria-expanded": "false", "aria-controls": id,
    onclick: () => {
      if (!inside.childNodes.length) inside.append(...proofs(line, attempt));
      inside.hidden = !inside.hidden;
      button.setAttribute("aria-expanded", String(!inside.hidden));
    } },
    el("span", { class: `tick ${line.outcome}`, "aria-hidden": "true" }, MARKS[line.outcome]),
    el("span", { class: "said" }, words(line.words),
      line.sample ? el("small", { class: "tag" }, " sample review") : null),
    el("span", { class: "more" }, el("span", { class: "aside" }, ` ${line.outcome}, `), line.claims));
  return el("li", {}, button, inside);
}

function proofs(line, attempt) {
  return [
    el("ul", { class: "claims" }, line.proofs.map((proof) => claim(proof, attempt))),
    el("p", { class: "hint" }, `This sentence was ${line.writer}.`),
  ];
}

function claim(proof, attempt) {
  const off = proof.switch;
  return el("li", {},
    proof.review ? review(proof.review) : el("p", { class: "claim" }, words(proof.words)),
    el("p", { class: "known" },
      el("span", { class: `level ${proof.level}` }, proof.level), ` ${proof.how} · ${proof.kind} · `,
      el("span", { class: proof.outcome }, `${proof.mark} ${proof.outcome}`), ": ", words(proof.reason)),
    off && attempt ? el("button", { type: "button", class: "try", onclick: () => attempt(off) },
      off.personas.length ? "Switch this taste off and see" : "Switch these off and see") : null,
    proof.findings.map(evidence));
}

function review({ before, quote, after, rating, source }) {
  return el("figure", { class: "review" },
    el("blockquote", {}, words(before), " ", el("mark", {}, words({ theirs: quote.quote })), " ", words(after)),
    el("figcaption", {}, rating ? `${rating} · ` : "", words(source)));
}

function evidence(one) {
  const pair = (name, value) => el("div", {}, el("dt", {}, words(name)), el("dd", {}, el("code", {}, words(value))));
  return el("details", { class: "evidence" },
    el("summary", {}, "Evidence ", words(one.id), ", ", words(one.source)),
    el("dl", {}, pair("probe", one.probe), one.facts.map(([name, value]) => pair(name, value))));
}

function bars(shown, names) {
  const scale = Math.max(...shown.map((one) => Math.abs(one.effect)));
  const ordered = [...shown].sort((a, b) => b.effect - a.effect);
  const cell = (role, name, ...inside) => el("div", { role, class: name }, ...inside);
  return el("div", { class: "bars", role: "table", "aria-label": "What each taste weighs, and what it does" },
    el("div", { role: "row", class: "head" },
      cell("columnheader", "", "Taste"), cell("columnheader", "", "weighs", el("small", {}, "no cause")),
      cell("columnheader", "", "does to the score", el("small", {}, "run with it and without it"))),
    ordered.map((one) => {
      const at = names.indexOf(one.name.theirs);
      return el("div", { role: "row" },
        cell("rowheader", "name", at >= 0 ? dot(at) : null, el("span", {}, words(one.name))),
        cell("cell", "share", shareBar(one.share), el("span", { class: "number" }, one.percent)),
        cell("cell", "effect", effectBar(one, scale),
          el("span", { class: "number" }, el("b", { class: `s${one.sign + 1}` }, one.signed), ` ${one.direction}`)));
    }));
}

function dropped(all) {
  return el("div", { class: "dropped" }, el("h4", {}, "Not said"),
    el("ul", {}, all.map(([text, reason]) => el("li", {}, el("span", { class: "aside" }, "Refused: "),
      el("s", {}, words(text)), el("span", { class: "reason" }, words(reason))))));
}
