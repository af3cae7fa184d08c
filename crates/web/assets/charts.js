// Draws the charts of a candidate. Points come from the server as columns:
//   { "steps": [0, 1], "times": [<ms>, <ms>], "values": [0.5, "NaN"], "is_sampled": false }
// A value that is no number is one of the words "NaN", "Infinity" and "-Infinity": it is marked, never dropped.
"use strict";

const LIVE_INTERVAL_MS = 5000;
const SECOND_MS = 1000;

// What a chart runs over: its ECharts axis and where a point lies on it.
const AXES = {
  step: { type: "value", at: (data, index) => data.steps[index], word: "step" },
  elapsed: { type: "value", at: (data, index) => (data.times[index] - data.times[0]) / SECOND_MS, word: "s" },
  clock: { type: "time", at: (data, index) => data.times[index], word: "" },
};

class Chart {
  constructor(figure, view) {
    this.figure = figure;
    this.view = view;
    this.plot = figure.querySelector(".plot");
    this.note = figure.querySelector(".chart-note");
    this.isVisible = false;
    this.data = null;
  }

  async show() {
    this.isVisible = true;
    if (!this.data) await this.load();
  }

  async load() {
    try {
      const answer = await fetch(this.figure.dataset.points, { cache: "no-cache", credentials: "same-origin" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      this.data = await answer.json();
      this.draw();
    } catch (problem) {
      this.say([`The points could not be fetched: ${problem.message}.`]);
    }
  }

  draw() {
    if (!this.data) return;
    if (!this.echart) this.start();
    const points = split(this.data, this.view);
    this.echart.setOption(options(points, this.view), { notMerge: true });
    this.say(remarks(this.data, points));
  }

  start() {
    this.echart = echarts.init(this.plot, null, { renderer: "canvas" });
    this.echart.group = "candidate";
    new ResizeObserver(() => this.echart.resize()).observe(this.plot);
  }

  say(sentences) {
    this.note.textContent = sentences.join(" ");
    this.note.hidden = sentences.length === 0;
  }
}

// Numbers become the line; the rest are marks at the edge of the plot that they went over.
function split(data, view) {
  const axis = AXES[view.x];
  const line = [];
  const odd = [];
  let unseen = 0;
  data.values.forEach((value, index) => {
    const x = axis.at(data, index);
    const point = { step: data.steps[index], time: data.times[index], text: String(value) };
    if (typeof value !== "number") odd.push({ ...point, value: [x, value] });
    else if (view.y === "log" && value <= 0) unseen += 1;
    else line.push({ ...point, value: [x, value] });
  });
  const byX = (one, other) => one.value[0] - other.value[0];
  return { line: line.sort(byX), marks: placed(odd, line), unseen };
}

function placed(odd, line) {
  const values = line.map((point) => point.value[1]);
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const edge = (word) => {
    if (values.length === 0) return 1;
    return word === "Infinity" ? high : low;
  };
  return odd.map((point) => ({ ...point, value: [point.value[0], edge(point.text)] }));
}

function remarks(data, points) {
  const sentences = [];
  if (data.is_sampled) sentences.push(`A sample of ${data.values.length.toLocaleString("en")} points, evenly over the steps.`);
  if (points.marks.length > 0) sentences.push(`${points.marks.length} not a finite number, marked ◆.`);
  if (points.unseen > 0) sentences.push(`${points.unseen} at or below zero, which has no logarithm.`);
  return sentences;
}

function options(points, view) {
  const soft = colour("--text-soft");
  const ruler = { lineStyle: { color: colour("--line") } };
  const label = { color: soft, fontSize: 11, hideOverlap: true };
  const axis = AXES[view.x];
  return {
    animation: false,
    grid: { left: 4, right: 4, top: 12, bottom: 2, containLabel: true },
    xAxis: {
      type: axis.type, min: "dataMin", max: "dataMax",
      axisLine: ruler, axisTick: { show: false }, axisLabel: label, splitLine: { show: false },
    },
    yAxis: {
      type: view.y === "log" ? "log" : "value", scale: true, splitNumber: 4,
      axisLabel: { ...label, formatter: short }, splitLine: ruler,
    },
    dataZoom: [{ type: "inside", zoomOnMouseWheel: "ctrl", filterMode: "none" }],
    tooltip: {
      trigger: "axis", renderMode: "html", padding: 0, borderWidth: 0, backgroundColor: "transparent",
      extraCssText: "box-shadow: none", confine: true,
      axisPointer: { type: "line", lineStyle: { color: colour("--line-strong") } },
      formatter: (hits) => tip(hits[0].data),
    },
    series: [lineSeries(points.line), markSeries(points.marks)],
  };
}

function lineSeries(data) {
  const line = colour("--line-1");
  return {
    type: "line", data, showSymbol: data.length < 40, symbol: "circle", symbolSize: 5,
    lineStyle: { width: 1.75, color: line }, itemStyle: { color: line }, emphasis: { disabled: true },
  };
}

function markSeries(data) {
  return { type: "scatter", data, symbol: "diamond", symbolSize: 9, itemStyle: { color: colour("--line-nan") }, z: 3 };
}

// An element, not a string: the content security policy allows no inline style, which ECharts' own tooltips carry.
function tip(point) {
  const box = document.createElement("div");
  box.className = "tip";
  const value = document.createElement("strong");
  value.textContent = point.text;
  const where = document.createElement("span");
  where.textContent = `step ${point.step.toLocaleString("en")} · ${new Date(point.time).toLocaleString()}`;
  box.append(value, where);
  return box;
}

function short(value) {
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude < 1e-3 || magnitude >= 1e6)) return value.toExponential(1).replace(".0e", "e");
  return String(Number(value.toPrecision(4)));
}

// The colour that a custom property stands for in the current scheme; the property itself only names both.
function colour(property) {
  const probe = document.createElement("span");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

function setUpChoices(view, redraw) {
  document.querySelectorAll("[data-set]").forEach((link) => {
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      view[link.dataset.set] = link.dataset.value;
      const url = new URL(location.href);
      url.searchParams.set(link.dataset.set, link.dataset.value);
      history.replaceState(null, "", url);
      for (const other of document.querySelectorAll(`[data-set="${link.dataset.set}"]`)) {
        if (other === link) other.setAttribute("aria-current", "true");
        else other.removeAttribute("aria-current");
      }
      redraw();
    });
  });
}

function setUp(container) {
  const view = { x: container.dataset.x, y: container.dataset.y };
  const charts = new Map();
  container.querySelectorAll("[data-chart]").forEach((figure) => charts.set(figure, new Chart(figure, view)));
  const redraw = () => charts.forEach((chart) => chart.draw());

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.get(entry.target);
      if (entry.isIntersecting) chart.show();
      else chart.isVisible = false;
    }
  }, { rootMargin: "200px" });
  charts.forEach((chart, figure) => watcher.observe(figure));

  setUpChoices(view, redraw);
  echarts.connect("candidate");
  document.addEventListener("modelry:theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  if ("live" in container.dataset) {
    setInterval(() => {
      if (!document.hidden) charts.forEach((chart) => chart.isVisible && chart.load());
    }, LIVE_INTERVAL_MS);
  }
}

const container = document.getElementById("charts");
if (container) setUp(container);
