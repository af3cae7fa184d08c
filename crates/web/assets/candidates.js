// The table of candidates: it follows candidates that run, and keeps those chosen for comparison.
"use strict";

const LIVE_INTERVAL_MS = 4000;
const WORTH_COMPARING = 2;
const BOXES = 'input[name="candidate"]';

// Asks for the table's part of the page again while a candidate that is shown runs and somebody looks, and changes only
// what is different: nothing flickers, and what is chosen, focused or scrolled stays as it is.
class LiveTable {
  constructor(part, chosen) {
    this.part = part;
    this.chosen = chosen;
  }

  async follow() {
    if (document.hidden || !this.part.dataset.refresh) return;
    try {
      const answer = await fetch(this.part.dataset.refresh, { cache: "no-store", credentials: "same-origin" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("candidates");
      if (fresh) this.update(fresh);
    } catch {
      // The server cannot be reached now: the next turn tries again.
    }
  }

  update(fresh) {
    const [table, freshTable] = [this.part, fresh].map((part) => part.querySelector("table"));
    if (table && freshTable) {
      replaceIfDifferent(table.tHead, freshTable.tHead);
      updateRows(table.tBodies[0], freshTable.tBodies[0]);
      updatePager(this.part, fresh);
    } else {
      this.part.replaceChildren(...fresh.childNodes);
    }
    if (fresh.dataset.refresh) this.part.dataset.refresh = fresh.dataset.refresh;
    else delete this.part.dataset.refresh;
    this.chosen.show();
  }
}

function replaceIfDifferent(old, fresh) {
  if (old.innerHTML !== fresh.innerHTML) old.replaceWith(document.importNode(fresh, true));
}

// Walks the rows in their new order: one that is in its place is not touched, so it keeps the focus.
function updateRows(body, fresh) {
  const known = new Map(Array.from(body.rows, (row) => [row.dataset.candidate, row]));
  let next = body.firstElementChild;
  for (const freshRow of Array.from(fresh.rows)) {
    const row = updatedRow(known.get(freshRow.dataset.candidate), freshRow);
    known.delete(freshRow.dataset.candidate);
    if (row === next) next = next.nextElementSibling;
    else body.insertBefore(row, next);
  }
  for (const row of known.values()) row.remove();
}

function updatedRow(row, fresh) {
  if (!row) return document.importNode(fresh, true);
  if (row.cells.length !== fresh.cells.length) {
    const made = document.importNode(fresh, true);
    row.replaceWith(made);
    return made;
  }
  Array.from(row.cells).forEach((cell, index) => {
    if (!cell.matches(".pick")) replaceIfDifferent(cell, fresh.cells[index]);
  });
  return row;
}

function updatePager(part, fresh) {
  const [old, made] = [part, fresh].map((one) => one.querySelector(".pager"));
  if (old && made) replaceIfDifferent(old, made);
  else if (old) old.remove();
  else if (made) part.append(document.importNode(made, true));
}

// The candidates chosen for comparison, on whatever page of the table they were: another page, order or filter shows
// others and forgets none, for as long as the tab is open.
class Chosen {
  constructor(form) {
    this.key = `chosen ${form.getAttribute("action")}`;
    this.compare = document.getElementById("compare-chosen");
    this.forget = document.getElementById("forget-chosen");
    this.candidates = new Set(this.stored());
    document.addEventListener("change", (event) => {
      if (event.target.matches(BOXES)) this.choose(event.target.value, event.target.checked);
    });
    this.forget.addEventListener("click", () => {
      this.candidates.clear();
      this.keep();
      this.compare.focus();
    });
    form.addEventListener("formdata", (event) => {
      const here = new Set(Array.from(document.querySelectorAll(BOXES), (box) => box.value));
      for (const candidate of this.candidates) if (!here.has(candidate)) event.formData.append("candidate", candidate);
    });
    // A page that was left and is gone back to has the ticks of its time.
    window.addEventListener("pageshow", () => {
      this.candidates = new Set(this.stored());
      this.show();
    });
    this.show();
  }

  stored() {
    try {
      return JSON.parse(sessionStorage.getItem(this.key)) ?? [];
    } catch {
      return Array.from(this.candidates ?? []);
    }
  }

  choose(candidate, isChosen) {
    if (isChosen) this.candidates.add(candidate);
    else this.candidates.delete(candidate);
    this.keep();
  }

  keep() {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(Array.from(this.candidates)));
    } catch {
      // Where nothing may be stored, what is chosen is chosen on this page.
    }
    this.show();
  }

  // The button says how many are chosen, and waits until comparing them makes sense.
  show() {
    for (const box of document.querySelectorAll(BOXES)) box.checked = this.candidates.has(box.value);
    const count = this.candidates.size;
    const badge = this.compare.querySelector(".badge");
    badge.textContent = String(count);
    badge.hidden = this.forget.hidden = count === 0;
    this.compare.disabled = count < WORTH_COMPARING;
    this.compare.title = this.compare.disabled ? "Choose two or more candidates, on this page or on others" : "";
  }
}

// The field gets the caret where the filter is wrong.
function pointAtProblem(field) {
  const at = Number(field.dataset.problem) - 1;
  field.focus();
  field.setSelectionRange(at, field.value.length);
}

const part = document.getElementById("candidates");
if (part) {
  const table = new LiveTable(part, new Chosen(document.getElementById("compare")));
  const loop = async () => {
    await table.follow();
    setTimeout(loop, LIVE_INTERVAL_MS);
  };
  setTimeout(loop, LIVE_INTERVAL_MS);
  document.querySelectorAll("input[data-problem]").forEach(pointAtProblem);
}
