// Each form says which route it asks: data-method, data-path with {names} of its fields, data-query with the names
// that go into the query, data-json with the names that go into a JSON body; a field named "body" is the body itself.
// A button may say another method or path.

const SHOWN = ["server-timing", "cache-status", "ratelimit-policy", "ratelimit", "retry-after"];

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {HTMLFormElement} form @param {HTMLElement | null} button */
function requestOf(form, button) {
  const said = { ...form.dataset, ...button?.dataset };
  const fields = new FormData(form);
  /** @param {string} name */
  const field = (name) => String(fields.get(name) ?? "");
  const path = (said.path ?? "").replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(field(name)));
  const query = new URLSearchParams((said.query ?? "").split(" ").filter(Boolean).map((name) => [name, field(name)]));
  const method = said.method ?? "GET";
  let body;
  if (method !== "GET" && said.json) {
    body = JSON.stringify(Object.fromEntries(said.json.split(" ").map((name) => [name, field(name)])));
  } else if (method === "PUT") {
    body = field("body");
  }
  return { method, url: query.size > 0 ? `${path}?${query}` : path, body };
}

/** @param {{ method: string, url: string, body?: string }} request */
async function ask({ method, url, body }) {
  const started = performance.now();
  const line = element("line");
  line.textContent = `${method} ${url}: asking`;
  line.classList.remove("bad");
  try {
    const answer = await fetch(url, { method, body });
    const text = await answer.text();
    line.textContent = `${method} ${url}: ${answer.status} in ${Math.round(performance.now() - started)} ms`;
    line.classList.toggle("bad", !answer.ok);
    element("headers").replaceChildren(...SHOWN.flatMap((name) => shownHeader(name, answer.headers.get(name))));
    element("body").textContent = pretty(text);
  } catch {
    line.textContent = `${method} ${url}: no answer`;
    line.classList.add("bad");
  }
}

/** @param {string} name @param {string | null} value */
function shownHeader(name, value) {
  if (value === null) return [];
  const term = document.createElement("dt");
  const detail = document.createElement("dd");
  term.textContent = name;
  detail.textContent = value;
  return [term, detail];
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function showHealth() {
  const status = element("health");
  try {
    const health = await (await fetch("/api/health")).json();
    const why = health.error ? ` (${health.error.code ?? health.error})` : `, ${health.latencyMs} ms`;
    status.textContent = `Redis is ${health.status ?? "unreachable"}${why}.`;
    status.classList.toggle("bad", health.status !== "healthy");
  } catch {
    status.textContent = "The Worker does not answer.";
    status.classList.add("bad");
  }
}

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask(requestOf(form, event.submitter));
  });
}
void showHealth();
setInterval(showHealth, 5_000);
