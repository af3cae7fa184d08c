// Uploads the chosen files one after the other, each with its progress, and shows the page anew when all are there.
"use strict";

const CSRF_HEADER = "X-CSRF-Token";

class Uploader {
  constructor(form) {
    this.form = form;
    this.files = form.querySelector("#files");
    this.folder = form.querySelector("#folder");
    this.list = form.querySelector("#uploads");
    this.button = form.querySelector("button[type=submit]");
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.uploadAll();
    });
  }

  async uploadAll() {
    this.button.disabled = true;
    this.list.replaceChildren();
    const lines = [...this.files.files].map((file) => new Line(this.list, file));
    let areAllThere = true;
    for (const line of lines) {
      areAllThere = (await line.send(this.address(line.file), this.form.dataset.csrf)) && areAllThere;
    }
    if (areAllThere) return location.reload();
    this.button.disabled = false;
  }

  address(file) {
    const folder = this.folder.value.split("/").filter((segment) => segment !== "");
    return [this.form.dataset.href, ...[...folder, file.name].map(encodeURIComponent)].join("/");
  }
}

// One file of the list: its name, how much of it is there, and what became of it.
class Line {
  constructor(list, file) {
    this.file = file;
    this.bar = document.createElement("progress");
    this.bar.max = Math.max(file.size, 1);
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", `Progress of ${file.name}`);
    this.state = document.createElement("span");
    this.state.textContent = "waiting";
    const name = document.createElement("span");
    name.textContent = file.name;
    const line = document.createElement("li");
    line.append(name, this.bar, this.state);
    list.append(line);
  }

  // Not `fetch`: it does not say how much of a body is sent.
  send(address, csrf) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.upload.addEventListener("progress", (event) => this.show(event.loaded));
      request.addEventListener("load", () => resolve(this.finish(request)));
      request.addEventListener("error", () => resolve(this.fail("the server cannot be reached")));
      request.open("PUT", address);
      request.setRequestHeader(CSRF_HEADER, csrf);
      request.send(this.file);
    });
  }

  show(sent) {
    this.bar.value = sent;
    this.state.textContent = `${Math.floor((100 * sent) / this.bar.max)} %`;
  }

  finish(request) {
    if (request.status !== 200) return this.fail(reason(request));
    this.bar.value = this.bar.max;
    this.state.textContent = "done";
    return true;
  }

  fail(words) {
    this.state.textContent = words;
    this.state.className = "failed";
    return false;
  }
}

function reason(request) {
  try {
    return JSON.parse(request.responseText).message;
  } catch {
    return `refused (${request.status})`;
  }
}

const form = document.getElementById("upload");
if (form) new Uploader(form);
