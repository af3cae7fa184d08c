// Draws charts of metrics: of one candidate, or of several beside each other. The server puts the points into as many
// buckets as a chart has pixels, column by column; to zoom is to ask again, so that what is seen is always exact:
//   { "series": [{ "candidate": 12, "buckets": { "from": [0], "to": [4], "count": [5], "min": [..], "first": [..], .. } }] }
"use strict";

const CSRF_HEADER = "X-CSRF-Token";
const LIVE_INTERVAL_MS = 5000;
const FEWEST_BUCKETS = 100;
const MOST_BUCKETS = 1000;
// The distance on the x axis, of all that is seen, in which smoothing counts.
const SMOOTHING_UNITS = 1000;
const MOST_SMOOTHING = 0.999;
// A line through more places is thinner, so that its noise can be seen.
const MANY_PLACES = 400;
// A shorter way of the pointer is a click, not a choice of a range.
const SHORTEST_DRAG_PX = 5;
const DEFAULTS = { x: "step", x_scale: "linear", y: "linear", smoothing: "0", from: "", to: "" };

// How the charts are seen. The form's fields and the legend hold it, and the address of the page says all of it.
class View {
  constructor(form, legend) {
    this.form = form;
    this.lines = [...legend.querySelectorAll("[data-line]")].map((item) => new Line(item));
    const hidden = (new URLSearchParams(location.search).get("hidden") ?? "").split(",");
    for (const line of this.lines) line.box.checked = !hidden.includes(String(line.candidate));
  }

  field(name) {
    return this.form.elements[name].value.trim();
  }

  get axis() {
    const x = this.field("x");
    return AXES[x] ?? { ...AXES.step, asked: { metric: x.slice("metric:".length) }, digits: 6, word: x.slice("metric:".length) };
  }

  get isLogX() {
    return this.field("x_scale") === "log" && this.axis.type !== "time";
  }

  get isLogY() {
    return this.field("y") === "log";
  }

  get smoothing() {
    return Math.min(Math.sqrt(Number(this.field("smoothing"))), MOST_SMOOTHING);
  }

  get range() {
    const [from, to] = [this.field("from"), this.field("to")];
    if (from === "" && to === "") return null;
    return { from: from === "" ? -Number.MAX_VALUE : Number(from), to: to === "" ? Number.MAX_VALUE : Number(to) };
  }

  set range(range) {
    const text = (x) => String(this.axis.digits ? Number(x.toPrecision(this.axis.digits)) : Math.round(x));
    this.form.elements.from.value = range ? text(range.from) : "";
    this.form.elements.to.value = range ? text(range.to) : "";
  }

  // The address of the page, and of links to the same page seen otherwise.
  save() {
    const url = new URL(location.href);
    this.writeTo(url.searchParams);
    history.replaceState(null, "", url);
    for (const link of document.querySelectorAll("[data-keeps-view]")) {
      const other = new URL(link.href);
      this.writeTo(other.searchParams);
      link.href = other;
    }
  }

  writeTo(params) {
    const hidden = this.lines.filter((line) => !line.isShown).map((line) => line.candidate);
    const values = { ...Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, this.field(name)])), hidden: hidden.join(",") };
    for (const [name, value] of Object.entries(values)) {
      if (value === (DEFAULTS[name] ?? "")) params.delete(name);
      else params.set(name, value);
    }
  }
}

// A candidate, with its colour and its place in the legend.
class Line {
  constructor(item) {
    this.candidate = Number(item.dataset.line);
    this.name = item.querySelector(".clip").textContent;
    this.number = item.dataset.colour;
    this.isDashed = "dashed" in item.dataset;
    this.box = item.querySelector("input");
  }

  get isShown() {
    return this.box.checked;
  }

  get colour() {
    return colour(`--line-${this.number}`);
  }
}

// What a chart runs over: what the server is asked for, and how a place on the axis is written. Times are in
// milliseconds.
const AXES = {
  step: { asked: "step", type: "value", label: (x) => short(x), place: (x) => `step ${x.toLocaleString("en")}` },
  relative_time: { asked: "relative_time", type: "value", label: duration, place: (x) => `after ${duration(x)}` },
  time: { asked: "time", type: "time", label: undefined, place: (x) => new Date(x).toLocaleString() },
};

class Chart {
  constructor(figure, view, source) {
    this.figure = figure;
    this.view = view;
    this.source = source;
    this.plot = figure.querySelector(".plot");
    this.note = figure.querySelector(".chart-note");
    this.isVisible = false;
    this.isFresh = false;
    this.requests = 0;
    this.series = null;
  }

  show() {
    this.isVisible = true;
    if (!this.isFresh) this.load();
  }

  // What is drawn is out of date: it is read again now, or when it comes into sight.
  refresh() {
    this.isFresh = false;
    if (this.isVisible) this.load();
  }

  async load() {
    this.isFresh = true;
    this.requests += 1;
    const request = this.requests;
    try {
      const answer = await this.ask();
      if (request !== this.requests) return;
      this.series = answer.series.map((series, index) => ({ line: this.view.lines[index], buckets: series.buckets }));
      this.draw();
    } catch (problem) {
      if (request === this.requests) this.say([`The points could not be read: ${problem.message}.`]);
    }
  }

  async ask() {
    const width = Math.ceil(this.plot.clientWidth);
    const body = {
      candidates: this.view.lines.map((line) => line.candidate),
      keys: [this.figure.dataset.chart],
      x: this.view.axis.asked,
      range: this.view.range,
      buckets: Math.min(Math.max(width, FEWEST_BUCKETS), MOST_BUCKETS),
    };
    const answer = await fetch(this.source.series, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", [CSRF_HEADER]: this.source.csrf },
      body: JSON.stringify(body),
    });
    if (answer.ok) return answer.json();
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail ?? `status ${answer.status}`);
  }

  draw() {
    if (!this.series) return;
    if (!this.echart) this.start();
    this.drawn = this.series.filter((series) => series.line.isShown).map((series) => trace(series, this.view));
    this.echart.setOption(options(this.drawn, this.view, (x) => this.tip(x)), { notMerge: true });
    this.say(remarks(this.drawn));
  }

  start() {
    this.echart = echarts.init(this.plot, null, { renderer: "canvas" });
    this.echart.group = "charts";
    new ResizeObserver(() => this.echart.resize()).observe(this.plot);
    new Selection(this.plot, this.echart, (range) => {
      this.view.range = range;
      this.view.form.dispatchEvent(new Event("change"));
    });
  }

  // An element, not a string: the content security policy allows no inline style, which ECharts' own tooltips carry.
  tip(x) {
    const box = element("div", "tip");
    const found = this.drawn.map((one) => one.near(x)).filter((near) => near !== null);
    const nearest = found.reduce((best, near) => (best && best.distance <= near.distance ? best : near), null);
    if (nearest) box.append(element("span", "", this.view.axis.place(nearest.x)));
    // A line that ends before has nothing to say here.
    const reach = Math.max(nearest?.distance ?? 0, width(this.drawn) / 50);
    for (const { line, text, count } of found.filter((near) => near.distance <= reach)) {
      const row = element("div", "tip-row");
      row.append(element("span", swatch(line)), element("strong", "", text));
      if (this.drawn.length > 1) row.append(element("span", "clip", line.name));
      if (count > 1) row.append(element("span", "", `${count.toLocaleString("en")} points`));
      box.append(row);
    }
    return box;
  }

  say(sentences) {
    this.note.textContent = sentences.join(" ");
    this.note.title = this.note.textContent;
  }
}

// What of a series is drawn: the curve through first, extremes and last of each bucket, so that no spike is missed; the
// smoothed one through the last; and a mark for what is not a number.
function trace({ line, buckets }, view) {
  const hasPlace = (x, y) => !(view.isLogX && x <= 0) && !(view.isLogY && y <= 0);
  const curve = [];
  const lasts = [];
  const odd = [];
  let unseen = 0;
  buckets.from.forEach((from, index) => {
    const [to, first, last] = [buckets.to[index], buckets.first[index], buckets.last[index]];
    const middle = from + (to - from) / 2;
    for (const [text, count] of oddOnes(buckets, index)) odd.push({ x: middle, text, count });
    if (buckets.count[index] === 0) return;
    const extremes = last < first ? [buckets.max[index], buckets.min[index]] : [buckets.min[index], buckets.max[index]];
    const places = buckets.count[index] === 1 ? [[to, last]] : [[from, first], ...extremes.map((y) => [middle, y]), [to, last]];
    const seen = places.filter(([x, y]) => hasPlace(x, y));
    curve.push(...seen);
    if (seen.length < places.length) unseen += 1;
    if (hasPlace(to, last)) lasts.push([to, last]);
  });
  const count = buckets.count.reduce((sum, some) => sum + some, 0);
  return { line, buckets, curve, lasts, odd, unseen, count, near: (x) => near(line, buckets, x) };
}

function oddOnes(buckets, index) {
  const kinds = [["NaN", buckets.nan], ["∞", buckets.positive_infinity], ["−∞", buckets.negative_infinity]];
  return kinds.map(([text, counts]) => [text, counts[index]]).filter(([, count]) => count > 0);
}

// The bucket of a series that is nearest to a place on the x axis, in words.
function near(line, buckets, x) {
  const { from, to } = buckets;
  if (from.length === 0) return null;
  let [low, high] = [0, from.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (to[middle] < x) low = middle + 1;
    else high = middle;
  }
  const away = (index) => Math.max(from[index] - x, x - to[index], 0);
  const index = low > 0 && away(low - 1) < away(low) ? low - 1 : low;
  const texts = oddOnes(buckets, index).map(([text, count]) => (count > 1 ? `${text} × ${count}` : text));
  if (buckets.count[index] > 0) {
    const [min, max] = [buckets.min[index], buckets.max[index]];
    texts.unshift(min === max ? precise(min) : `${precise(min)} to ${precise(max)}`);
  }
  return { line, x: from[index], distance: away(index), text: texts.join(", "), count: buckets.count[index] };
}

// How much of the x axis the lines take.
function width(drawn) {
  const ends = drawn.flatMap(({ lasts }) => (lasts.length > 0 ? [lasts[0][0], lasts.at(-1)[0]] : []));
  return Math.max(...ends) - Math.min(...ends) || 1;
}

// The time-weighted exponential moving average that W&B defines: what came before weighs less the farther back it lies
// on the x axis, and the first values are not drawn towards zero.
function smoothed(places, decay, all) {
  let [sum, weight] = [0, 0];
  return places.map(([x, y], index) => {
    const step = index === 0 ? 0 : ((x - places[index - 1][0]) / all) * SMOOTHING_UNITS;
    const kept = decay ** step;
    sum = sum * kept + y;
    weight = weight * kept + 1;
    return [x, sum / weight];
  });
}

function remarks(drawn) {
  const sum = (of) => drawn.reduce((total, one) => total + of(one), 0);
  const sentences = [];
  const points = sum((one) => one.count);
  if (drawn.some((one) => one.buckets.count.some((count) => count > 1))) {
    sentences.push(`${points.toLocaleString("en")} points, drawn through their extremes.`);
  }
  const odd = sum((one) => one.odd.reduce((total, { count }) => total + count, 0));
  if (odd > 0) sentences.push(`${odd.toLocaleString("en")} not a finite number, marked ◆.`);
  if (drawn.some((one) => one.unseen > 0)) sentences.push("What is at or below zero has no logarithm.");
  if (points + odd === 0) sentences.push("No points here.");
  return sentences;
}

function options(drawn, view, tip) {
  const label = { color: colour("--text-soft"), fontSize: 11, hideOverlap: true };
  const ruler = { lineStyle: { color: colour("--line") } };
  const { type, label: written } = view.axis;
  const range = view.range;
  const end = (x, usual) => (x === undefined || Math.abs(x) === Number.MAX_VALUE ? usual : x);
  return {
    animation: false,
    grid: { left: 4, right: 8, top: 12, bottom: 2, containLabel: true },
    xAxis: {
      type: view.isLogX ? "log" : type, min: end(range?.from, "dataMin"), max: end(range?.to, "dataMax"),
      axisLine: { ...ruler, onZero: false }, axisTick: { show: false }, axisLabel: { ...label, formatter: written }, splitLine: { show: false },
    },
    yAxis: {
      type: view.isLogY ? "log" : "value", scale: true, splitNumber: 4,
      axisLabel: { ...label, formatter: short }, splitLine: ruler,
    },
    tooltip: {
      trigger: "axis", renderMode: "html", padding: 0, borderWidth: 0, backgroundColor: "transparent",
      extraCssText: "box-shadow: none", confine: true,
      axisPointer: { type: "line", lineStyle: { color: colour("--line-strong") } },
      formatter: (hits) => tip(hits[0].axisValue),
    },
    series: [...curves(drawn, view), ...marks(drawn)],
  };
}

function curves(drawn, view) {
  const all = width(drawn);
  const isSmooth = view.smoothing > 0;
  return drawn.flatMap((one) => {
    const raw = lineSeries(one.line, one.curve, isSmooth);
    return isSmooth ? [raw, lineSeries(one.line, smoothed(one.lasts, view.smoothing, all), false)] : [raw];
  });
}

function lineSeries(line, data, isFaint) {
  const look = { color: line.colour, opacity: isFaint ? 0.28 : 1 };
  return {
    type: "line", data, showSymbol: data.length < 40, symbol: "circle", symbolSize: isFaint ? 4 : 5, emphasis: { disabled: true },
    lineStyle: { ...look, width: isFaint ? 1 : data.length > MANY_PLACES ? 1.25 : 1.75, type: line.isDashed ? "dashed" : "solid" }, itemStyle: look,
  };
}

// What is not a number is marked at the edge of the plot that it went over.
function marks(drawn) {
  const values = drawn.flatMap((one) => one.curve.map(([, y]) => y));
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const edge = (text) => (values.length === 0 ? 1 : text === "∞" ? high : low);
  return drawn.filter((one) => one.odd.length > 0).map((one) => ({
    type: "scatter", data: one.odd.map(({ x, text }) => [x, edge(text)]), symbol: "diamond", symbolSize: 9, z: 3,
    itemStyle: { color: drawn.length > 1 ? one.line.colour : colour("--line-nan") },
  }));
}

// A range of the x axis, chosen by dragging over a plot. Fields of the form do the same from the keyboard.
class Selection {
  constructor(plot, echart, choose) {
    this.plot = plot;
    this.echart = echart;
    this.choose = choose;
    this.band = element("div", "selection");
    this.band.hidden = true;
    plot.append(this.band);
    plot.addEventListener("pointerdown", (event) => this.begin(event));
    plot.addEventListener("pointermove", (event) => this.move(event));
    plot.addEventListener("pointerup", (event) => this.end(event));
    plot.addEventListener("pointercancel", () => this.drop());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.drop());
  }

  at(event) {
    return event.clientX - this.plot.getBoundingClientRect().left;
  }

  begin(event) {
    // A finger scrolls the page.
    if (event.button !== 0 || event.pointerType === "touch") return;
    event.preventDefault();
    this.plot.setPointerCapture(event.pointerId);
    this.start = this.at(event);
  }

  move(event) {
    if (this.start === undefined) return;
    const [left, right] = [this.start, this.at(event)].sort((one, other) => one - other);
    this.band.hidden = right - left < SHORTEST_DRAG_PX;
    this.band.style.left = `${left}px`;
    this.band.style.width = `${right - left}px`;
  }

  end(event) {
    const isChosen = !this.band.hidden;
    const pixels = [this.start, this.at(event)].sort((one, other) => one - other);
    this.drop();
    if (!isChosen) return;
    const [from, to] = pixels.map((pixel) => this.echart.convertFromPixel({ xAxisIndex: 0 }, pixel));
    if (Number.isFinite(from) && Number.isFinite(to) && from < to) this.choose({ from, to });
  }

  drop() {
    this.start = undefined;
    this.band.hidden = true;
  }
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function swatch(line) {
  return `swatch swatch-${line.number}${line.isDashed ? " dashed" : ""}`;
}

function precise(value) {
  return String(Number(value.toPrecision(6)));
}

function short(value) {
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude < 1e-3 || magnitude >= 1e6)) return value.toExponential(1).replace(".0e", "e");
  return String(Number(value.toPrecision(4)));
}

function duration(ms) {
  const units = [[3_600_000, "h"], [60_000, "min"], [1000, "s"]];
  const [length, unit] = units.find(([length]) => ms >= length) ?? [1, "ms"];
  return `${Number((ms / length).toPrecision(3))} ${unit}`;
}

const resolved = new Map();

// The colour that a custom property stands for in the current scheme; the property itself only names both.
function colour(property) {
  if (!resolved.has(property)) {
    const probe = document.createElement("span");
    probe.style.color = `var(${property})`;
    document.body.append(probe);
    resolved.set(property, getComputedStyle(probe).color);
    probe.remove();
  }
  return resolved.get(property);
}

function setUpForm(view, charts, whole) {
  const { form } = view;
  form.querySelector("[type=submit]").hidden = true;
  whole.hidden = false;
  const tellSmoothing = () => {
    form.querySelector("output").value = view.field("smoothing");
  };
  const tell = () => {
    tellSmoothing();
    form.elements.x_scale.disabled = view.axis.type === "time";
    whole.disabled = view.range === null;
    view.save();
  };
  let asked = JSON.stringify([view.axis.asked, view.range]);
  const change = (event) => {
    // A range means something on its own axis alone.
    if (event.target === form.elements.x) view.range = null;
    tell();
    const now = JSON.stringify([view.axis.asked, view.range]);
    charts.forEach((chart) => (now === asked ? chart.draw() : chart.refresh()));
    asked = now;
  };
  form.addEventListener("change", change);
  // The address is written when the slider is let go: browsers allow only so many changes of it.
  form.elements.smoothing.addEventListener("input", () => {
    tellSmoothing();
    charts.forEach((chart) => chart.draw());
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change(event);
  });
  whole.addEventListener("click", (event) => {
    view.range = null;
    change(event);
  });
  for (const line of view.lines) {
    line.box.hidden = false;
    line.box.addEventListener("change", change);
  }
  tell();
}

function setUp(container) {
  const view = new View(document.getElementById("chart-form"), document.querySelector(".legend"));
  const charts = new Map();
  container.querySelectorAll("[data-chart]").forEach((figure) => charts.set(figure, new Chart(figure, view, container.dataset)));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.get(entry.target);
      if (entry.isIntersecting) chart.show();
      else chart.isVisible = false;
    }
  }, { rootMargin: "200px" });
  charts.forEach((chart, figure) => watcher.observe(figure));
  setUpForm(view, [...charts.values()], document.getElementById("whole-range"));
  echarts.connect("charts");
  const recolour = () => {
    resolved.clear();
    charts.forEach((chart) => chart.draw());
  };
  document.addEventListener("modelry:theme", recolour);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  if ("live" in container.dataset) {
    setInterval(() => {
      if (!document.hidden) charts.forEach((chart) => chart.refresh());
    }, LIVE_INTERVAL_MS);
  }
}

const container = document.getElementById("charts");
if (container) setUp(container);
