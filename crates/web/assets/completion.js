// Completes names in the filter of candidates: keys of the experiment, attributes and the words of the grammar.
"use strict";

const COMPLETION_DELAY_MS = 120;
const MOST_OFFERED = 10;
const WORDS = [
  "metrics.", "params.", "tags.", "status", "start_time", "end_time", "run_name", "run_id", "user_id",
  "AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL",
];
const KINDS = {
  metrics: "metrics", metric: "metrics", params: "params", param: "params", parameters: "params", parameter: "params",
  tags: "metadata", tag: "metadata", metadata: "metadata",
};
// A name that the caret stands behind: `metrics.lo`, `params.`a b`, or a word without a dot.
const SCOPED = /([a-z]+)\.(?:`([^`]*)|([\w/:.-]*))$/i;
const WORD = /[a-z_]\w*$/i;

// What stands before the caret and can be completed: where it starts, of which kind, and how it goes.
function unfinished(text) {
  const inText = ["'", '"'].some((quote) => text.split(quote).length % 2 === 0);
  if (inText) return null;
  const scoped = SCOPED.exec(text);
  if (scoped && KINDS[scoped[1].toLowerCase()]) {
    return { start: scoped.index, kind: KINDS[scoped[1].toLowerCase()], part: scoped[2] ?? scoped[3] };
  }
  const word = WORD.exec(text);
  return word && !scoped ? { start: word.index, kind: null, part: word[0] } : null;
}

class Completion {
  constructor(field) {
    this.field = field;
    this.list = document.createElement("ul");
    this.list.id = "completions";
    this.list.className = "completions";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Completions");
    this.turn = 0;
    field.parentElement.append(this.list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", this.list.id]]) {
      field.setAttribute(name, value);
    }
    this.close();
    field.addEventListener("input", () => this.soon());
    field.addEventListener("keydown", (event) => this.press(event));
    field.addEventListener("blur", () => this.close());
    // Before the field loses the focus.
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.take(option);
    });
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.offer(), COMPLETION_DELAY_MS);
  }

  async offer() {
    this.turn += 1;
    const { turn } = this;
    const caret = this.field.selectionStart;
    const name = unfinished(this.field.value.slice(0, caret));
    if (!name) return this.close();
    const offers = await this.find(name).catch(() => []);
    // Something else may have been typed meanwhile.
    if (turn !== this.turn) return undefined;
    return offers.length ? this.open(offers, name.start, caret) : this.close();
  }

  // First what starts like what was typed, then what has it anywhere.
  async find({ kind, part }) {
    const typed = part.toLowerCase();
    const words = kind ? [] : WORDS.filter((word) => word.toLowerCase().startsWith(typed) && word !== part);
    const keys = await this.keys(kind, { prefix: part });
    if (keys.length < MOST_OFFERED && part) keys.push(...(await this.keys(kind, { search: part })));
    return [...new Set([...words, ...keys])].slice(0, MOST_OFFERED);
  }

  async keys(kind, asked) {
    const query = new URLSearchParams({ ...asked, per_page: MOST_OFFERED, ...(kind && { kind }) });
    const answer = await fetch(`${this.field.dataset.keys}?${query}`, { credentials: "same-origin" });
    return answer.ok ? (await answer.json()).map((key) => key.column) : [];
  }

  open(offers, start, end) {
    [this.start, this.end] = [start, end];
    this.list.replaceChildren(...offers.map(option));
    this.list.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.choose(null);
  }

  close() {
    clearTimeout(this.timer);
    this.turn += 1;
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.choose(null);
  }

  choose(option) {
    this.chosen?.removeAttribute("aria-selected");
    this.chosen = option;
    if (!option) return this.field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    return this.field.setAttribute("aria-activedescendant", option.id);
  }

  press(event) {
    if (this.list.hidden) return;
    const { firstElementChild: first, lastElementChild: last } = this.list;
    const moves = {
      ArrowDown: () => this.choose(this.chosen?.nextElementSibling ?? first),
      ArrowUp: () => this.choose(this.chosen?.previousElementSibling ?? last),
      Escape: () => this.close(),
      // The first one is taken by Tab alone: Enter sends the filter as it was typed.
      Tab: () => this.take(this.chosen ?? first),
      ...(this.chosen && { Enter: () => this.take(this.chosen) }),
    };
    if (event.shiftKey || !moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }

  take(option) {
    const text = option.textContent;
    const isWhole = !text.endsWith(".");
    this.close();
    this.field.setRangeText(isWhole ? `${text} ` : text, this.start, this.end, "end");
    this.field.focus();
    if (!isWhole) this.soon();
  }
}

function option(text, index) {
  const item = document.createElement("li");
  item.id = `completion-${index}`;
  item.setAttribute("role", "option");
  item.textContent = text;
  return item;
}

const filter = document.getElementById("filter");
if (filter) new Completion(filter);
