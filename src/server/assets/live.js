// Makes pages live: what was shown is shown again when something happened to it, and times count down.
// Every page works without it.
"use strict";

const part = document.getElementById("live");

/** Whether a person is typing; what they wrote is not thrown away. */
function isTyping() {
  const at = document.activeElement;
  if (at && part.contains(at) && at.matches("input, textarea, select")) return true;
  return Array.from(part.querySelectorAll("input:not([type=hidden]), textarea")).some((it) => it.value !== it.defaultValue);
}

/** What a person may be at with the keyboard. */
const CONTROLS = "a[href], button, summary, [tabindex]";

/** The control among others that says the same as one did. */
function alike(at) {
  const words = (it) => `${it.tagName} ${it.textContent.trim()} ${it.getAttribute("aria-label") ?? ""}`;
  return Array.from(part.querySelectorAll(CONTROLS)).find((it) => words(it) === words(at));
}

async function again() {
  if (isTyping()) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh || fresh.innerHTML === part.innerHTML || isTyping()) return;
  // What was opened or closed stays so.
  const name = (it) => it.querySelector("summary")?.textContent;
  const was = new Map(Array.from(part.querySelectorAll("details"), (it) => [name(it), it.open]));
  for (const it of fresh.querySelectorAll("details")) it.open = was.get(name(it)) ?? it.open;
  const at = document.activeElement;
  const isWithin = part.contains(at);
  part.replaceChildren(...fresh.childNodes);
  // Whoever goes by the keyboard stays where they were.
  if (isWithin) alike(at)?.focus({ preventScroll: true });
}

if (part) {
  const [kind, id] = part.dataset.live.split(" ");
  let waits = null;
  const events = new EventSource("/v1/events");
  const heard = (event) => {
    if (kind === "escalation" && event.type === "escalation" && JSON.parse(event.data).escalation !== id) return;
    clearTimeout(waits);
    waits = setTimeout(again, 150);
  };
  events.addEventListener("escalation", heard);
  events.addEventListener("missed", heard);
  addEventListener("pagehide", () => events.close());
}

function words(seconds) {
  const amount = Math.abs(seconds);
  const text = amount < 60 ? `${amount} s` : amount < 7200 ? `${Math.floor(amount / 60)} min`
    : amount < 172800 ? `${Math.floor(amount / 3600)} h` : `${Math.floor(amount / 86400)} days`;
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

setInterval(() => {
  for (const it of document.querySelectorAll("[data-until]")) {
    it.textContent = words(Math.round((new Date(it.dataset.until) - Date.now()) / 1000));
  }
}, 1000);
