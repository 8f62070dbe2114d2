// Talk to the server: JSON, streams, and the key, which this tab alone keeps.

const KEPT = "whythis.key";
let asking = null;

/** A refusal by the server; its message is a line for people. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const get = (path, query = {}, signal) =>
  called(`${path}?${new URLSearchParams(query)}`, { signal }).then((answer) => answer.json());

export const post = (path, body, signal) =>
  called(path, posted(body, "application/json", signal)).then((answer) => answer.json());

/** Yield [name, data] for each event of a stream. */
export async function* stream(path, body, signal) {
  const answer = await called(path, posted(body, "text/event-stream", signal));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value.replaceAll("\r\n", "\n");
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const found = event(rest.slice(0, end));
      rest = rest.slice(end + 2);
      if (found) yield found;
    }
  }
}

function event(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  return data.length ? [name, JSON.parse(data.join("\n"))] : null;
}

function posted(body, accept, signal) {
  const headers = { "Content-Type": "application/json", Accept: accept };
  return { method: "POST", headers, body: JSON.stringify(body), signal };
}

async function called(path, init) {
  for (;;) {
    const key = sessionStorage.getItem(KEPT);
    const headers = { ...init.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let answer;
    try {
      answer = await fetch(path, { ...init, headers, credentials: "omit", cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal(0, "The server cannot be reached.");
    }
    if (answer.ok) return answer;
    if (answer.status !== 401) throw new Refusal(answer.status, await reason(answer));
    // one question, however many requests wait for its answer
    asking ??= askForKey(key !== null).finally(() => { asking = null; });
    await asking;
  }
}

async function reason(answer) {
  const told = await answer.json().catch(() => null);
  return told?.error?.message ?? `The server answered with status ${answer.status}.`;
}

function askForKey(again) {
  const box = document.getElementById("key-box"), form = document.getElementById("key");
  const secret = document.getElementById("secret");
  document.getElementById("key-hint").textContent = again
    ? "That key was not accepted. Try another one."
    : "It stays in this tab until the tab is closed.";
  secret.value = "";
  box.showModal();
  return new Promise((go) => {
    form.addEventListener("submit", () => {
      sessionStorage.setItem(KEPT, secret.value.trim());
      secret.value = "";
      go();
    }, { once: true });
    box.oncancel = (event) => event.preventDefault();
  });
}
