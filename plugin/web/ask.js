// Ask in one's own words: steps as they are taken, sentences once they were checked.

import { card, sentences } from "./answer.js";
import { announce, el, plain, words } from "./paint.js";
import { post, stream } from "./server.js";

/** Hold a conversation; `context()` gives user, names and attempt, `changed` follows an edit. */
export class Conversation {
  constructor(context, changed) {
    this.context = context;
    this.changed = changed;
    this.talk = document.getElementById("talk");
    this.field = document.getElementById("question");
    document.getElementById("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.field.value.trim();
      if (text) this.ask(text);
    });
  }

  /** Begin anew, with questions to try. */
  restart(suggestions) {
    this.stop?.abort();
    this.session = null;
    this.talk.replaceChildren();
    this.talk.hidden = true;
    this.suggest(suggestions);
  }

  suggest(questions) {
    document.getElementById("suggestions").replaceChildren(...questions.map((text) => el("li", {}, this.chip(text))));
  }

  chip(text, shown = text) {
    return el("button", { type: "button", class: "chip", onclick: () => this.ask(text) }, words({ theirs: shown }));
  }

  async ask(text) {
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    const { user } = this.context();
    const steps = el("ol", { class: "steps", "aria-label": "Steps" });
    const said = el("ul", { class: "coming" });
    const turn = el("article", { class: "turn", "aria-busy": "true" },
      el("h3", {}, words({ theirs: text })), steps, said);
    this.talk.prepend(turn);
    this.talk.hidden = false;
    this.field.value = "";
    announce("Asking");
    let found = 0;
    try {
      for await (const [name, data] of stream("v1/ask", { user, text, session: this.session }, stop.signal)) {
        if (name === "step") steps.append(el("li", { "data-step": data.name }, words({ theirs: data.text })));
        if (name === "evidence") turn.dataset.evidence = String((found += 1));
        if (name === "sentence") said.append(el("li", {}, words({ theirs: data.text })));
        if (name === "error") throw new Error(data.error?.message ?? "The server failed.");
        if (name === "done") await this.done(turn, data, stop.signal);
      }
    } catch (error) {
      if (error.name === "AbortError") turn.append(el("p", { class: "hint" }, "Stopped: another question came."));
      else turn.append(el("p", { class: "problem", role: "alert" }, words({ theirs: error.message })));
    }
    turn.removeAttribute("aria-busy");
  }

  async done(turn, reply, signal) {
    const shown = await post("v1/page/reply", { reply }, signal);
    const { names, attempt, why } = this.context();
    this.session = reply.session;
    turn.querySelector(".coming").remove();
    const steps = turn.querySelector(".steps");
    steps.remove();
    const open = (item, title) => el("button", { type: "button", class: "link", onclick: () => why(item) }, words(title));
    const extra = [
      shown.why ? el("div", { class: "answer" }, card({ ...shown.why, asked: null }, { names, attempt })) : null,
      shown.items.length ? el("ol", { class: "plainlist" }, shown.items.map((one) => el("li", {}, `${one.place} `, open(one.item, one.title)))) : null,
      shown.changes.length ? el("ul", { class: "plainlist" }, shown.changes.map((one) => el("li", {}, words(one.title), " ", el("span", { class: "moved" }, one.place)))) : null,
      shown.choices.length ? el("ul", { class: "chips" }, shown.choices.map(([, title]) => el("li", {}, this.chip(plain(title))))) : null,
      shown.note ? el("p", { class: "hint" }, words(shown.note)) : null,
    ];
    // a sentence is told once: those of the whole answer stand in it
    const own = shown.why ? shown.lines.filter((line) => !shown.why.lines.some((other) => plain(other.words) === plain(line.words))) : shown.lines;
    if (own.length) turn.append(el("div", { class: "answer" }, sentences(own, attempt)));
    turn.append(...extra.filter(Boolean),
      el("details", { class: "evidence" }, el("summary", {}, "How it was answered"), steps));
    if (shown.suggestions.length) this.suggest(shown.suggestions.map(plain));
    announce(shown.lines.map((line) => plain(line.words)).join(" "));
    if (["contest", "undo", "less_of", "more_like"].includes(reply.intent)) this.changed();
  }
}
