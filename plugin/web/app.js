// Put the page together: who is shown, what is off, what was asked.

import { card } from "./answer.js";
import { Conversation } from "./ask.js";
import { clear, node, show } from "./list.js";
import { announce, el, plain, words } from "./paint.js";
import { get, post } from "./server.js";
import { Switches } from "./switches.js";

const LENGTH = 10;
const $ = (id) => document.getElementById(id);
let state = null;
let running = null;

const switches = new Switches(() => tried(experiment));
const conversation = new Conversation(() => ({ user: state.user, names: names(), attempt, why: open }),
  () => tried(() => load(state.user, false)));

const names = () => state.tastes.map((one) => plain(one.name));
const places = () => state.tastes.map((one) => one.persona);

/** Do something; what goes wrong is said where everybody sees it. */
async function tried(work) {
  const problem = $("problem");
  try {
    await work();
    problem.hidden = true;
  } catch (error) {
    if (error.name === "AbortError") return;
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

async function load(user, anew = true) {
  state = await get("v1/page/state", { user, n: LENGTH });
  sessionStorage.setItem("whythis.user", user);
  $("person").value = user;
  $("title").replaceChildren("Why these, ", el("bdi", {}, user), "?");
  $("about").textContent = state.history.length
    ? `${state.list.rows.length} of ${state.unseen} you have not seen, chosen by ${state.rests}.`
    : `${state.list.rows.length} of ${state.unseen} you have not seen. Nothing you liked is known yet.`;
  $("stamp").replaceChildren("model ", ...words(state.model), " · data ", ...words(state.data));
  clear();
  switches.show(state);
  experimented(state.list, null);
  if (anew) conversation.restart(questions());
}

function questions() {
  const first = state.list.rows[0], past = state.history[0];
  return ["Who do you think I am?",
    ...(first ? [`Why ${plain(first.title)}?`] : []),
    ...(past ? [`What if I forget ${plain(past.title)}?`] : [])];
}

async function experiment() {
  running?.abort();
  const mine = (running = new AbortController());
  if (!switches.any) {
    experimented(state.list, null);
    announce("Everything is on.");
    return;
  }
  $("rows").setAttribute("aria-busy", "true");
  try {
    const found = await post("v1/page/what-if", { user: state.user, without_personas: [...switches.personas],
      without_items: [...switches.items], n: LENGTH }, mine.signal);
    if (found.user !== state.user) return;
    experimented(found.list, found.summary);
    announce(plain(found.summary));
  } finally {
    if (mine === running) $("rows").removeAttribute("aria-busy");
  }
}

function experimented(list, summary) {
  $("experiment").hidden = summary === null;
  $("summary").replaceChildren(...words(summary));
  $("list").classList.toggle("trying", summary !== null);
  show(list, places(), (item, button, answer) => tried(() => toggle(item, button, answer)));
}

/** Switch off what a claim took away, and go where the change is seen. */
function attempt(off) {
  switches.only(off.personas, off.items);
  $("list").focus({ preventScroll: true });
  $("list-name").scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function open(item) {
  const row = node(item);
  if (!row) return conversation.ask(`Why ${plain(state.list.rows.find((one) => one.item === item)?.title ?? item)}?`);
  const button = row.querySelector(".why");
  if (button.getAttribute("aria-expanded") === "false") button.click();
  button.focus();
}

async function toggle(item, button, answer) {
  const opens = answer.hidden;
  answer.hidden = !opens;
  button.setAttribute("aria-expanded", String(opens));
  if (opens && !answer.childNodes.length) await fill(item, answer, "plain", false);
}

async function fill(item, answer, style, llm) {
  answer.setAttribute("aria-busy", "true");
  if (!answer.childNodes.length) answer.append(el("p", { class: "hint" }, "Running the model without each part…"));
  try {
    const shown = await post("v1/page/explain", { user: state.user, item, style, llm });
    answer.replaceChildren(...card(shown, { attempt, names: names() }), choices(item, answer, style, llm));
    announce(`${plain(shown.headline)} ${shown.lines.map((line) => plain(line.words)).join(" ")}`);
  } catch (error) {
    answer.replaceChildren();
    throw error;
  } finally {
    answer.removeAttribute("aria-busy");
  }
}

function choices(item, answer, style, llm) {
  const pick = (label, chosen, change) => el("button", { type: "button", class: "quiet", "aria-pressed": String(chosen),
    onclick: () => tried(() => change()) }, label);
  return el("div", { class: "choices", role: "group", "aria-label": "How it is told" },
    ["short", "plain", "detailed"].map((one) => pick(one, one === style, () => fill(item, answer, one, llm))),
    state.writer ? pick("in the language model’s words", llm, () => fill(item, answer, style, !llm)) : null);
}

function themed(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", String(dark));
}

async function suggestPeople() {
  const found = await get("v1/page/users", { search: $("person").value, n: 20 });
  $("people").replaceChildren(...found.users.map((user) => el("option", { value: user })));
  return found.users;
}

let waiting = 0;
$("person").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => tried(suggestPeople), 150);
});
$("who").addEventListener("submit", (event) => {
  event.preventDefault();
  tried(async () => {
    await load($("person").value.trim());
    $("title").focus();
  });
});
$("reset").addEventListener("click", () => {
  switches.only([], []);
  $("list").focus({ preventScroll: true });
});
$("theme").addEventListener("click", () => {
  themed(document.documentElement.dataset.theme !== "dark");
  sessionStorage.setItem("whythis.theme", document.documentElement.dataset.theme);
});
themed((sessionStorage.getItem("whythis.theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark");

tried(async () => {
  const users = await suggestPeople();
  const kept = sessionStorage.getItem("whythis.user");
  if (!users.length && !kept) throw new Error("There is nobody whose list this key may see.");
  try {
    await load(kept ?? users[0]);
  } catch (error) {
    if (!kept || !users.length) throw error;
    await load(users[0]);
  }
});
