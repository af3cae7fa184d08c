// The table of candidates: it follows candidates that run, and counts those chosen for comparison.
"use strict";

const LIVE_INTERVAL_MS = 4000;
const WORTH_COMPARING = 2;

// Asks for the table's part of the page again while a candidate that is shown runs and somebody looks, and changes only
// what is different: nothing flickers, and what is chosen, focused or scrolled stays as it is.
class LiveTable {
  constructor(part) {
    this.part = part;
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
    countChosen();
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
    made.querySelector("input").checked = row.querySelector("input").checked;
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

// A button that compares what is chosen says how many that are, and waits until it makes sense.
function countChosen() {
  const button = document.getElementById("compare-chosen");
  const count = document.querySelectorAll('input[name="candidate"]:checked').length;
  const badge = button.querySelector(".badge");
  badge.textContent = String(count);
  badge.hidden = count === 0;
  button.disabled = count < WORTH_COMPARING;
  button.title = button.disabled ? "Choose two or more candidates in the table" : "";
}

// The field gets the caret where the filter is wrong.
function pointAtProblem(field) {
  const at = Number(field.dataset.problem) - 1;
  field.focus();
  field.setSelectionRange(at, field.value.length);
}

const part = document.getElementById("candidates");
if (part) {
  const table = new LiveTable(part);
  const loop = async () => {
    await table.follow();
    setTimeout(loop, LIVE_INTERVAL_MS);
  };
  setTimeout(loop, LIVE_INTERVAL_MS);
  document.addEventListener("change", (event) => {
    if (event.target.matches('input[name="candidate"]')) countChosen();
  });
  countChosen();
  document.querySelectorAll("input[data-problem]").forEach(pointAtProblem);
}
