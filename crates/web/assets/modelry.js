// What every page can do beyond HTML: copy a text, ask before it destroys, remember the colour scheme.
// Everything it adds is hidden or harmless where scripts do not run.
"use strict";

const THEMES = ["system", "light", "dark"];
const YEAR_SECONDS = 365 * 24 * 60 * 60;

function setUpCopying(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(button.dataset.copy);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  });
}

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Browsers offer the clipboard only to https and to the own machine; a server in the office network is neither.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function setUpThemes(button) {
  const root = document.documentElement;
  const word = button.querySelector("span");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    root.dataset.theme = next;
    word.textContent = `Theme: ${next}`;
    document.cookie = `modelry_theme=${next}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
    document.dispatchEvent(new CustomEvent("modelry:theme"));
  });
}

function setUpAsking(button) {
  button.addEventListener("click", (event) => {
    if (!window.confirm(button.dataset.confirm)) event.preventDefault();
  });
}

// The part of an address behind `#` never reaches the server: it is added here to the way back from signing in.
function keepFragment(field) {
  if (location.hash && !field.value.includes("#")) field.value += location.hash;
}

document.querySelectorAll("form input[name=back]").forEach(keepFragment);
document.querySelectorAll("[data-copy]").forEach(setUpCopying);
document.querySelectorAll("[data-confirm]").forEach(setUpAsking);
document.querySelectorAll("#theme").forEach(setUpThemes);
