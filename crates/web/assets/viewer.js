// Follows a file that grows: asks for what lies behind the bytes already shown, and appends it.
"use strict";

const INTERVAL_MS = 2000;
// Every request starts this many bytes early: where they differ, the file was written anew and the page is made anew.
const OVERLAP_BYTES = 64;

class Follower {
  constructor(bar, text) {
    this.href = bar.dataset.follow;
    this.text = text;
    this.state = document.getElementById("follow-state");
    this.size = document.getElementById("file-size");
    this.box = document.getElementById("follow");
    this.seen = Number(bar.dataset.seen);
    this.tail = null;
    this.etag = null;
    this.decoder = new TextDecoder();
    bar.hidden = false;
    this.toEnd();
  }

  async poll() {
    if (!this.box.checked || document.hidden) return;
    try {
      await this.fetchMore();
    } catch {
      this.say("The server cannot be reached; trying again.");
    }
  }

  async fetchMore() {
    const from = Math.max(0, this.seen - OVERLAP_BYTES);
    const headers = this.seen > 0 ? { Range: `bytes=${from}-` } : {};
    if (this.etag) headers["If-None-Match"] = this.etag;
    const answer = await fetch(this.href, { headers, cache: "no-store", credentials: "same-origin" });
    if (answer.status === 304) return this.say("Waiting for more.");
    if (answer.status === 416) return location.reload();
    if (!answer.ok) return this.say(`The file cannot be read now (${answer.status}).`);
    const isPart = answer.status === 206;
    if (this.seen > 0 && !isPart) return location.reload();
    const bytes = new Uint8Array(await answer.arrayBuffer());
    this.etag = answer.headers.get("ETag");
    this.append(bytes, isPart ? this.seen - from : 0);
    this.say("Up to date.");
  }

  append(bytes, overlap) {
    const before = bytes.subarray(0, overlap);
    const isSameFile = bytes.length >= overlap && (!this.tail || endsWith(this.tail, before));
    if (!isSameFile) return location.reload();
    const stuck = this.isAtEnd();
    this.text.append(this.decoder.decode(bytes.subarray(overlap), { stream: true }));
    this.tail = bytes.slice(-OVERLAP_BYTES);
    this.seen += bytes.length - overlap;
    this.size.textContent = `${this.seen.toLocaleString("en")} B`;
    if (stuck) this.toEnd();
  }

  isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.text;
    return scrollHeight - scrollTop - clientHeight < 40;
  }

  toEnd() {
    this.text.scrollTop = this.text.scrollHeight;
  }

  say(words) {
    this.state.textContent = words;
  }
}

function endsWith(bytes, ending) {
  const start = bytes.length - ending.length;
  return start >= 0 && ending.every((byte, index) => bytes[start + index] === byte);
}

const bar = document.querySelector("[data-follow]");
const text = document.getElementById("text");
if (bar && text) {
  const follower = new Follower(bar, text);
  const loop = async () => {
    await follower.poll();
    setTimeout(loop, INTERVAL_MS);
  };
  loop();
}
