// Searches all keys of an experiment for the table's columns; the page itself offers only the first ones.
"use strict";

const SEARCH_DELAY_MS = 150;
const FOUND_AT_ONCE = 50;
// What can be shown of a metric: the text in front of the box, and the column around its name.
const FIGURES = [
  { word: "", column: (name) => name },
  { word: "min", column: (name) => `min(${name})` },
  { word: "max", column: (name) => `max(${name})` },
];

class ColumnSearch {
  constructor(box) {
    this.field = box.querySelector("input");
    this.groups = document.querySelectorAll("#columns fieldset[data-kind]");
    this.turn = 0;
    box.hidden = false;
    this.field.addEventListener("input", () => this.soon());
    this.field.addEventListener("keydown", (event) => {
      // Enter would send the form, which is not what a search is for.
      if (event.key === "Enter") event.preventDefault();
    });
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), SEARCH_DELAY_MS);
  }

  async search() {
    this.turn += 1;
    const { turn } = this;
    await Promise.all(Array.from(this.groups, (group) => this.fill(group, turn)));
  }

  async fill(group, turn) {
    const query = new URLSearchParams({ kind: group.dataset.kind, search: this.field.value, per_page: FOUND_AT_ONCE });
    const answer = await fetch(`${this.field.dataset.keys}?${query}`, { credentials: "same-origin" });
    // A later search may have been answered before this one.
    if (!answer.ok || turn !== this.turn) return;
    const found = await answer.json();
    show(group, found, (answer.headers.get("Link") || "").includes('rel="next"'));
  }
}

// What is ticked stays, whatever was searched for.
function show(group, found, hasMore) {
  const choices = Array.from(group.querySelectorAll(".column-choice"));
  const kept = choices.filter((choice) => choice.querySelector("input:checked"));
  const columns = new Set(kept.map((choice) => choice.querySelector("input").value));
  choices.filter((choice) => !kept.includes(choice)).forEach((choice) => choice.remove());
  const hint = group.querySelector(".hint");
  for (const key of found) {
    if (!columns.has(key.column)) hint.before(made(key));
  }
  hint.hidden = !hasMore;
  group.hidden = !group.querySelector(".column-choice");
}

function made(key) {
  const choice = document.createElement("div");
  choice.className = "column-choice";
  for (const figure of key.kind === "metrics" ? FIGURES : FIGURES.slice(0, 1)) choice.append(check(key, figure));
  return choice;
}

function check(key, figure) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.name = "column";
  box.value = figure.column(key.column);
  const name = document.createElement("span");
  if (figure.word) {
    label.className = "figure";
    name.className = "visually-hidden";
    name.textContent = ` of ${key.key}`;
    label.append(box, figure.word, name);
  } else {
    name.textContent = key.key;
    label.title = counted(key);
    label.append(box, name);
  }
  return label;
}

function counted(key) {
  const count = key.candidates.toLocaleString("en");
  return `${key.is_capped ? `more than ${count}` : count} candidate${key.candidates === 1 ? "" : "s"}`;
}

const box = document.getElementById("column-search");
if (box) new ColumnSearch(box);
