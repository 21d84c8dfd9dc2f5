"use strict";
const byId = id => document.getElementById(id);
const {places, topics, texts, names} = JSON.parse(byId("data").textContent);
const colors = new Map(names.map(({id, color}) => [id, color]));
const nameOf = new Map(names.map(({id, name}) => [id, name]));
const lowered = texts.map(text => text.toLowerCase());
const details = [...document.querySelectorAll(".topic")];
const detailsOf = new Map(details.map(element => [Number(element.dataset.id), element]));
const GRAY = "#868e98";
const MOST_LISTED = 20;  // documents found
const REACH = 22;  // pixels between a click and the document that it means
let chosen = null;  // a topic
let marked = [];  // documents: found, or clicked

// ---- the map

const pen = document.createElement("canvas").getContext("2d");
pen.font = "13px system-ui, sans-serif";
const WIDEST_NAME = 170;
const widths = names.map(({name}) => Math.min(WIDEST_NAME, pen.measureText(name).width));

const map = byId("map"), frame = map.parentElement;
const chart = echarts.init(map);
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const extent = axis => places.reduce(([low, high], place) => [Math.min(low, place[axis]), Math.max(high, place[axis])], [0, 1]);
const [left, right] = extent(0), [bottom, top_] = extent(1);

/** Give both axes the same scale, whatever the shape of the frame. */
function axes() {
  const unit = 1.12 * Math.max((right - left) / map.clientWidth, (top_ - bottom) / map.clientHeight);
  const axis = (low, high, pixels) => ({
    type: "value", show: false,
    min: (low + high - unit * pixels) / 2, max: (low + high + unit * pixels) / 2,
  });
  return {xAxis: axis(left, right, map.clientWidth), yAxis: axis(bottom, top_, map.clientHeight)};
}

/** A series of points that does not catch the pointer: the nearest document does, see nearestTo. */
const points = (id, data, style) => ({
  id, data, type: "scatter", silent: true, progressive: 0,
  large: data.length > 0, largeThreshold: 0,  // an empty series that is large is an error of ECharts
  ...style,
});

function draw() {
  const groups = new Map();
  topics.forEach((topic, i) => {
    const color = topic === chosen ? "chosen" : colors.get(topic) ?? "outliers";
    if (!groups.has(color)) groups.set(color, []);
    groups.get(color).push(places[i]);
  });
  const drawn = ["outliers", ...new Set(colors.values())].map(color => points(color, groups.get(color) ?? [], {
    symbolSize: color === "outliers" ? 3 : 4.5,
    itemStyle: {
      color: color === "outliers" ? GRAY : color,
      opacity: (color === "outliers" ? 0.35 : 0.75) * (chosen === null && !marked.length ? 1 : 0.22),
    },
  }));
  drawn.push(points("chosen", groups.get("chosen") ?? [], {
    symbolSize: 5.5, itemStyle: {color: colors.get(chosen) ?? GRAY, opacity: 0.95},
  }));
  drawn.push(points("marked", marked.map(i => places[i]), {
    large: false, symbolSize: 9, z: 4,
    itemStyle: {color: "transparent", borderColor: css("--ink"), borderWidth: 1.5, opacity: 1},
  }));
  chart.setOption({
    ...axes(), series: drawn, animation: false,
    grid: {left: 0, right: 0, top: 0, bottom: 0},
    dataZoom: ["xAxisIndex", "yAxisIndex"].map(axis => ({type: "inside", [axis]: 0, filterMode: "none", minSpan: 1})),
  });
  drawNames();
}

/** Write names that do not overlap, those of the largest topics first; only of what is looked for. */
function drawNames() {
  const taken = [], data = [];
  names.forEach(({id, name, place}, i) => {
    if (!place || detailsOf.get(id).hidden || (chosen !== null && id !== chosen)) return;
    const [x, y] = chart.convertToPixel({gridIndex: 0}, place);
    if (x < 0 || x > map.clientWidth || y < 10 || y > map.clientHeight - 10) return;
    const half = widths[i] / 2 + 4, middle = Math.max(half, Math.min(map.clientWidth - half, x));
    if (taken.some(other => Math.abs(other.middle - middle) < other.half + half && Math.abs(other.y - y) < 18)) return;
    taken.push({middle, half, y});
    data.push({value: [...place, id, name], label: {offset: [middle - x, 0]}});
  });
  chart.setOption({series: [{
    id: "names", type: "scatter", z: 5, data, symbolSize: 1, itemStyle: {color: "transparent", opacity: 1},
    cursor: "pointer", animation: false,
    label: {
      show: true, position: "inside", formatter: ({value}) => value[3],
      fontSize: 13, fontFamily: "system-ui, sans-serif", width: WIDEST_NAME, overflow: "truncate",
      color: css("--ink"), textBorderColor: css("--paper"), textBorderWidth: 3,
    },
  }]});
}
chart.on("datazoom", drawNames);

function zoomTo(ranges) {
  chart.dispatchAction({
    type: "dataZoom",
    batch: ranges.map(([start, end], dataZoomIndex) => ({dataZoomIndex, start, end})),
  });
}

function zoomBy(factor) {
  zoomTo(chart.getOption().dataZoom.map(({start, end}) => {
    const half = Math.min(50, (end - start) / factor / 2);
    const middle = Math.max(half, Math.min(100 - half, (start + end) / 2));
    return [middle - half, middle + half];
  }));
}

byId("closer").addEventListener("click", () => zoomBy(1.6));
byId("farther").addEventListener("click", () => zoomBy(1 / 1.6));
const whole = () => zoomTo([[0, 100], [0, 100]]);
byId("whole").addEventListener("click", whole);

/** Give the document nearest to a point of the frame, in pixels; null if none is within reach. */
function nearestTo(x, y, reach) {
  const [x0, y0] = chart.convertToPixel({gridIndex: 0}, [0, 0]);
  const [x1, y1] = chart.convertToPixel({gridIndex: 0}, [1000, 1000]);
  const scaleX = (x1 - x0) / 1000, scaleY = (y1 - y0) / 1000;
  let nearest = null, least = reach ** 2;
  places.forEach(([placeX, placeY], i) => {
    const distance = (x0 + scaleX * placeX - x) ** 2 + (y0 + scaleY * placeY - y) ** 2;
    if (distance <= least) [nearest, least] = [i, distance];
  });
  return nearest;
}

const tip = byId("tip");
chart.getZr().on("mousemove", ({offsetX, offsetY, target}) => {
  const document_ = target ? null : nearestTo(offsetX, offsetY, 8);
  tip.hidden = document_ === null;
  if (document_ === null) return;
  tip.children[0].textContent = nameOf.get(topics[document_]) ?? "without a topic";
  tip.children[1].textContent = texts[document_];
  tip.style.left = Math.max(0, Math.min(offsetX + 14, frame.clientWidth - tip.offsetWidth)) + "px";
  const below = offsetY + 14;
  tip.style.top = (below + tip.offsetHeight > frame.clientHeight ? offsetY - 10 - tip.offsetHeight : below) + "px";
});
chart.getZr().on("globalout", () => tip.hidden = true);
chart.on("click", {seriesId: "names"}, ({value}) => choose(value[2], {scroll: true}));
chart.getZr().on("click", ({offsetX, offsetY, target}) => {
  const document_ = target ? null : nearestTo(offsetX, offsetY, REACH);
  if (document_ !== null) chooseDocument(document_);
});
new ResizeObserver(() => {
  chart.resize();
  chart.setOption(axes());
  drawNames();
}).observe(map);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

// ---- a topic is chosen: on the map, in the list, or by a document

const narrow = matchMedia("(max-width: 52rem)");
const card = byId("chosen"), [title, clear, text] = card.children;

/** Mark a topic on the map and open it in the list; null shows all alike. */
function choose(topic, {scroll = false, document_ = null} = {}) {
  chosen = topic;
  if (document_ !== null) marked = [document_];
  for (const element of details) element.open = Number(element.dataset.id) === topic;
  card.hidden = topic === null && document_ === null;
  title.children[0].style.background = colors.get(topic) ?? GRAY;
  title.children[1].textContent = nameOf.get(topic) ?? "without a topic";
  title.disabled = !detailsOf.has(topic);
  text.textContent = document_ === null ? "" : texts[document_];
  // On a phone the list is below the map: the card leads there.
  if (scroll && !narrow.matches) detailsOf.get(topic)?.scrollIntoView({block: "nearest"});
  draw();
}

function chooseDocument(i, options = {scroll: true}) {
  choose(nameOf.has(topics[i]) ? topics[i] : null, {...options, document_: i});
}

function showAll() {
  search.value = "";
  find();
  choose(null);
}

const toMap = () => frame.scrollIntoView({block: narrow.matches ? "start" : "nearest"});
const toTopic = topic => {
  const summary = detailsOf.get(topic).querySelector("summary");
  summary.scrollIntoView({block: "start"});
  summary.focus({preventScroll: true});
};
title.addEventListener("click", () => toTopic(chosen));
clear.addEventListener("click", showAll);
addEventListener("keydown", ({key}) => key === "Escape" && showAll());
for (const element of details) {
  const topic = Number(element.dataset.id);
  element.addEventListener("toggle", () => {
    if (element.open && chosen !== topic) choose(topic);
    else if (!element.open && chosen === topic) choose(null);
  });
  element.querySelector(".show").addEventListener("click", () => {
    choose(topic);
    whole();
    toMap();
  });
  for (const near of element.querySelectorAll(".near")) {
    near.addEventListener("click", () => {
      if (detailsOf.get(Number(near.dataset.id)).hidden) showAll();  // a search hides it
      choose(Number(near.dataset.id));
      toTopic(chosen);
    });
  }
}

// ---- the search

const search = byId("search");
const words = new Map(details.map(element => [element, element.querySelector("summary .name").textContent.toLowerCase() + " " + element.querySelector(".words").textContent.toLowerCase()]));
const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

function find() {
  const wanted = search.value.trim().toLowerCase();
  let n = 0;
  for (const element of details) {
    element.hidden = !words.get(element).includes(wanted);
    n += !element.hidden;
  }
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector(".topic:not([hidden])");
  marked = wanted ? [...lowered.keys()].filter(i => lowered[i].includes(wanted)) : [];
  byId("found").textContent = wanted ? `${plural(n, "topic")}, ${plural(marked.length, "document")} on the map` + (marked.length > MOST_LISTED ? `, of which ${MOST_LISTED} are listed` : "") : "";
  byId("documents").replaceChildren(...marked.slice(0, MOST_LISTED).map(i => {
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: texts[i]});
    button.addEventListener("click", () => {
      chooseDocument(i, {scroll: false});
      whole();
      toMap();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}
search.addEventListener("input", () => {
  find();
  choose(null);
});

draw();
