// Switch tastes and past likes off and on.

import { dot, el, plain, shareBar, words } from "./paint.js";

const FEW = 6;

/** Hold what is off; `changed` is called after each change. */
export class Switches {
  constructor(changed) {
    this.changed = changed;
    this.personas = new Set();
    this.items = new Set();
    this.whole = false;
    document.getElementById("filter").addEventListener("input", () => this.history());
    document.getElementById("all").addEventListener("click", () => {
      this.whole = !this.whole;
      this.history();
    });
  }

  /** Show the switches of a person, all on. */
  show(state) {
    this.state = state;
    this.personas.clear();
    this.items.clear();
    this.whole = false;
    document.getElementById("filter").value = "";
    this.draw();
  }

  /** Turn these off, and everything else on. */
  only(personas, items) {
    this.personas = new Set(personas);
    this.items = new Set(items);
    this.draw();
    this.changed();
  }

  get any() {
    return this.personas.size + this.items.size > 0;
  }

  draw() {
    const { tastes, history } = this.state;
    document.getElementById("tastes-box").hidden = !tastes.length;
    document.getElementById("history-box").hidden = !history.length;
    keep(document.getElementById("tastes"), tastes.map((one, at) => this.taste(one, at)));
    this.history();
  }

  history() {
    const { history } = this.state, filter = document.getElementById("filter");
    const wanted = filter.value.trim().toLowerCase();
    const fit = history.filter((one) => plain(one.title).toLowerCase().includes(wanted));
    const shown = this.whole || wanted ? fit : fit.filter((one, at) => at < FEW || this.items.has(one.item));
    filter.hidden = history.length <= FEW;
    keep(document.getElementById("history"), shown.map((one) => this.past(one)));
    const all = document.getElementById("all");
    all.hidden = Boolean(wanted) || history.length <= FEW;
    all.textContent = this.whole ? "Show fewer" : `Show all ${history.length}`;
  }

  taste(one, at) {
    const id = `taste-${one.persona}`;
    return el("li", { class: this.personas.has(one.persona) ? "taste off" : "taste" },
      dot(at),
      el("div", { class: "body" },
        el("p", { class: "name", id }, words(one.name)),
        el("p", { class: "titles" }, one.titles.flatMap((title, n) => [n ? ", " : "", ...words(title)])),
        shareBar(one.mass),
        el("p", { class: "figures", id: `${id}-more` }, el("span", {}, one.weighs), el("span", {}, one.leave))),
      this.button(id, this.personas, one.persona, this.items, `${id}-more`));
  }

  past(one) {
    const id = `past-${this.state.history.indexOf(one)}`;
    return el("li", { class: this.items.has(one.item) ? "past off" : "past" },
      el("span", { id }, words(one.title)),
      this.button(id, this.items, one.item, this.personas, null));
  }

  button(label, off, key, other, more) {
    const button = el("button", { type: "button", role: "switch", class: "switch", id: `${label}-switch`,
      "aria-checked": String(!off.has(key)), "aria-labelledby": label, "aria-describedby": more,
      onclick: () => {
        if (off.has(key)) off.delete(key);
        else off.add(key);
        if (!this.state.together) other.clear();
        this.draw();
        this.changed();
      } }, el("span", { "aria-hidden": "true" }));
    return button;
  }
}

/** Replace children; whoever had the focus has it again. */
function keep(holder, children) {
  const id = holder.contains(document.activeElement) ? document.activeElement.id : null;
  holder.replaceChildren(...children);
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}
