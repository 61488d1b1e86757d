// Keeps the page true: the server sends its main part again when something changed.
"use strict";
const main = document.querySelector("main[data-events]");
const sign = document.getElementById("live");
let waiting = null;

// Somebody who types, presses or selects is not interrupted.
function busy() {
  const at = document.activeElement;
  if (main.querySelector(":active") || (main.contains(at) && at.closest("details[open]"))) return true;
  const selection = document.getSelection();
  return selection && !selection.isCollapsed && main.contains(selection.anchorNode);
}

function swap() {
  if (waiting === null || busy()) return;
  const open = [...main.querySelectorAll("details[open][id]")];
  const at = document.activeElement;
  const focused = main.contains(at) ? at.id || at.getAttribute("href") : null;
  main.innerHTML = waiting;
  waiting = null;
  for (const old of open) document.getElementById(old.id)?.replaceWith(old); // with what was typed
  if (focused) {
    (document.getElementById(focused) || main.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }
}

function tell(text, state) {
  sign.hidden = false;
  sign.textContent = text;
  sign.dataset.state = state;
}

if (main && window.EventSource) {
  const source = new EventSource(main.dataset.events);
  source.addEventListener("open", () => tell("Live", "on"));
  source.addEventListener("error", () => tell(source.readyState === EventSource.CLOSED ? "Not live" : "Reconnecting", "off"));
  source.addEventListener("changed", (event) => { waiting = event.data; swap(); });
  for (const type of ["focusout", "selectionchange", "pointerup"]) document.addEventListener(type, () => setTimeout(swap, 0));
}
