"use strict";
// The page of `reverie dream`. It computes nothing of its own: every number comes from the server
// (or, in an exported page, from the session that is packed into it). Texts are set, never parsed.

const $ = (id) => document.getElementById(id);
const NS = "http://www.w3.org/2000/svg";
const CURVES = { reward: "Reward", cont: "Continue", value: "Value", entropy: "Entropy", disagreement: "Disagreement", kl: "KL" };
const S = { session: "", facts: null, episode: null, rows: new Map(), branches: new Map(), lane: null, at: 0,
  playing: false, flip: false, key: "", frozen: null, waiting: 0, queue: Promise.resolve(), studies: {} };
window.reverie = S;

// ---- asking -----------------------------------------------------------------------------------

const token = new URLSearchParams(location.search).get("token") || "";

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body: JSON.stringify({ session: S.session, ...body }),
      headers: { "Content-Type": "application/json", "X-Reverie-Token": token } });
  } catch (error) {
    throw new Error("the server does not answer: it has ended, or the connection is cut. What you see stays.");
  }
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

const ask = async (name, body) => (await post("/api/" + name, body || {})).json();

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

// One request after the other; keys that come faster than dreams are left out.
function queued(work) {
  if (S.waiting > 1) return S.queue;
  S.waiting += 1;
  const slow = setTimeout(() => { $("busy").hidden = false; }, 400);
  S.queue = S.queue.then(work).then(() => trouble(""), (error) => { S.playing = false; trouble(error.message); })
    .finally(() => { clearTimeout(slow); $("busy").hidden = true; S.waiting -= 1; draw(); });
  return S.queue;
}

// ---- where we are -----------------------------------------------------------------------------

const lane = () => (S.lane === null ? null : S.branches.get(S.lane));
const last = () => (lane() ? lane().list.length - 1 : S.episode ? S.episode.rows - 1 : 0);
const row = () => (lane() ? lane().list[S.at] : S.rows.get(S.at));
const color = (id) => `var(--c${(id - 1) % 6})`;
const absolute = () => (lane() ? lane().begin + S.at : S.at);

async function load(at) {
  if (S.frozen || S.rows.has(at)) return;
  const first = at - (at % 32);
  for (const found of (await ask("rows", { first, count: 32 })).rows) S.rows.set(found.n, found);
}

function go(at) {
  S.at = Math.max(0, Math.min(last(), at));
  if (!lane() && !S.rows.has(S.at) && S.episode && !S.frozen) queued(() => load(S.at));
  draw();
}

function choose(id) {
  S.lane = id;
  S.at = last();
  draw();
}

// ---- drawing ----------------------------------------------------------------------------------

function element(name, content, parent) {
  const made = document.createElement(name);
  if (content !== undefined) made.textContent = content;
  if (parent) parent.append(made);
  return made;
}

function bytes(picture) {
  if (!picture.bytes) picture.bytes = Uint8Array.from(atob(picture.rgb), (c) => c.charCodeAt(0));
  return picture.bytes;
}

function paint(canvas, width, height, at) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0, o = 0; i < 3 * width * height; i += 3, o += 4) {
    image.data[o] = at(i);
    image.data[o + 1] = at(i + 1);
    image.data[o + 2] = at(i + 2);
    image.data[o + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function put(canvas, picture) {
  const data = bytes(picture);
  paint(canvas, picture.w, picture.h, (i) => data[i]);
}

// Stripes: nobody knows what reality would show.
function unknown(canvas, like) {
  const w = like ? like.w : 16;
  paint(canvas, w, like ? like.h : 16, (i) => (((i / 3) % w) + Math.floor(i / 3 / w)) % 8 < 4 ? 200 : 170);
}

const isPicture = (value) => value && !Array.isArray(value);

function look(found) {
  const dream = found.shown && found.shown[S.key], real = found.real && found.real[S.key];
  return { dream: isPicture(dream) ? dream : null, real: isPicture(real) ? real : found.drawn };
}

function clips(found) {
  const { dream, real } = look(found);
  $("clips").hidden = !dream && !real;
  $("fig-dream").hidden = $("fig-difference").hidden = !dream;
  $("flip").hidden = !dream;
  if (dream) put($("dream"), dream);
  if (real) put($("real"), real); else unknown($("real"), dream);
  if (dream && real && dream.w === real.w && dream.h === real.h) {
    const a = bytes(dream), b = bytes(real);
    paint($("difference"), dream.w, dream.h, (i) => (a[i] - b[i] + 255) >> 1);
  } else unknown($("difference"), dream);
  $("cap-real").textContent = real ? "Reality" : "Reality: not known here";
  const dreams = lane() && (S.at > 0 || lane().parent !== null);
  const how = S.facts.decodes ? "" : " (nearest stored observation)";
  $("cap-dream").textContent = (dreams ? "Dream" : "The model, while it looks") + how;
}

function svg(name, attributes, parent) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

const short = (v) => (v === null || v === undefined ? "–" : Math.abs(v) >= 1e4 || (v && Math.abs(v) < 1e-3) ? v.toExponential(1) : String(+v.toPrecision(3)));

// lines: {x, y, color, dash, dots}; band: {x, low, high, color}
function chart(parent, title, note, lines, options) {
  const { band, cursor, click, square } = options || {};
  const box = element("div", undefined, parent);
  box.className = "chart";
  element("b", title, box);
  element("small", note ? " " + note : "", box);
  const ys = lines.flatMap((l) => l.y).concat(band ? [...band.low, ...band.high] : []).filter((v) => v !== null && v !== undefined);
  const xs = lines.flatMap((l) => l.x);
  if (!ys.length) { element("p", "not known here", box).className = "soft"; return; }
  let [lo, hi] = [Math.min(...ys), Math.max(...ys)], [left, right] = [Math.min(...xs), Math.max(...xs)];
  if (square) { lo = left = Math.min(lo, left); hi = right = Math.max(hi, right); }
  if (hi - lo < 1e-9) { lo -= 0.5; hi += 0.5; }
  if (right - left < 1e-9) right = left + 1;
  const W = 320, H = square ? 240 : 120, X = (v) => 46 + ((v - left) / (right - left)) * (W - 56), Y = (v) => H - 18 - ((v - lo) / (hi - lo)) * (H - 28);
  const plot = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" }, box);
  for (const v of [lo, (lo + hi) / 2, hi]) {
    svg("line", { x1: 46, x2: W - 10, y1: Y(v), y2: Y(v), stroke: "var(--grid)" }, plot);
    svg("text", { x: 42, y: Y(v) + 3, "text-anchor": "end" }, plot).textContent = short(v);
  }
  for (const v of [left, right]) svg("text", { x: X(v), y: H - 4, "text-anchor": v === left ? "start" : "end" }, plot).textContent = short(v);
  if (band) {
    const there = band.x.map((x, i) => [X(x), Y(band.low[i])]).concat(band.x.map((x, i) => [X(x), Y(band.high[i])]).reverse());
    svg("polygon", { points: there.map((p) => p.join(",")).join(" "), fill: band.color, opacity: 0.18 }, plot);
  }
  for (const line of lines) {
    let path = "", pen = false;
    line.y.forEach((y, i) => {
      if (y === null || y === undefined) { pen = false; return; }
      if (line.dots) svg("circle", { cx: X(line.x[i]), cy: Y(y), r: line.sizes ? line.sizes[i] : 1.8, fill: line.color, opacity: 0.8 }, plot);
      path += `${pen ? "L" : "M"}${X(line.x[i]).toFixed(1)} ${Y(y).toFixed(1)}`;
      pen = true;
    });
    if (!line.dots) svg("path", { d: path, fill: "none", stroke: line.color, "stroke-width": line.thin ? 1 : 1.8, "stroke-dasharray": line.dash || "none" }, plot);
  }
  if (cursor !== undefined) svg("line", { x1: X(cursor), x2: X(cursor), y1: 8, y2: H - 18, stroke: "var(--ink)", "stroke-width": 0.7 }, plot);
  if (click) plot.addEventListener("click", (event) => {
    const at = plot.getBoundingClientRect();
    click(Math.round(left + (((event.clientX - at.left) / at.width) * W - 46) / (W - 56) * (right - left)));
  });
}

const spread = (n, from) => Array.from({ length: n }, (_, i) => i + (from || 0));

function curves() {
  const parent = $("curves");
  parent.replaceChildren();
  const { episode } = S;
  for (const [name, title] of Object.entries(CURVES)) {
    const lines = [{ x: spread(episode.rows), y: episode.curves[name], color: "var(--faint)", thin: true }];
    if (name === "reward") lines.push({ x: spread(episode.rows), y: episode.rewards, color: "var(--faint)", dots: true });
    for (const branch of S.branches.values()) {
      const x = spread(branch.list.length, branch.begin);
      lines.push({ x, y: branch.list.map((r) => r.said[name]), color: color(branch.branch) });
      if (name === "reward") lines.push({ x, y: branch.list.map((r) => r.reward), color: color(branch.branch), dots: true });
    }
    if (lines.every((l) => l.y.every((v) => v === null))) continue;
    const here = row() ? row().said[name] : null;
    const jump = (x) => go(lane() ? x - lane().begin : x);
    chart(parent, title, `here ${short(here)}`, lines, { cursor: absolute(), click: jump });
  }
}

// Observations without pictures: one chart a number, those that move most.
function numberLines() {
  const parent = $("lines");
  parent.replaceChildren();
  for (const [key, about] of Object.entries(S.facts.observations)) {
    if (about.kind !== "vector") continue;
    about.names.slice(0, 12).forEach((name, i) => {
      const lines = [], own = lane();
      const near = [...S.rows.values()].sort((a, b) => a.n - b.n);
      lines.push({ x: near.map((r) => r.n), y: near.map((r) => r.real[key][i]), color: "var(--ink)", thin: true });
      if (own) {
        const x = spread(own.list.length, own.begin);
        lines.push({ x, y: own.list.map((r) => (r.real ? r.real[key][i] : null)), color: "var(--ink)", dots: true });
        if (own.list[0].shown[key]) lines.push({ x, y: own.list.map((r) => r.shown[key][i]), color: color(own.branch) });
      } else if (near.length && near[0].shown[key]) {
        lines.push({ x: near.map((r) => r.n), y: near.map((r) => r.shown[key][i]), color: "var(--c0)", dash: "3 3" });
      }
      const here = row();
      const note = here ? `reality ${short(here.real ? here.real[key][i] : null)}, model ${short(here.shown[key] ? here.shown[key][i] : null)}` : "";
      chart(parent, name, note, lines, { cursor: absolute() });
    });
  }
}

function lanes() {
  const parent = $("lanes");
  parent.replaceChildren();
  const whole = element("button", "episode", parent);
  whole.className = S.lane === null ? "on" : "";
  whole.addEventListener("click", () => { const at = absolute(); S.lane = null; go(at); });
  for (const branch of S.branches.values()) {
    const from = branch.parent === null ? `row ${branch.at}` : `branch ${branch.parent}, row ${branch.begin}`;
    const button = element("button", `branch ${branch.branch} from ${from}`, parent);
    button.className = S.lane === branch.branch ? "on" : "";
    button.style.color = color(branch.branch);
    button.addEventListener("click", () => choose(branch.branch));
    if (S.frozen) continue;
    const close = element("button", "×", parent);
    close.title = `close branch ${branch.branch}`;
    close.addEventListener("click", () => queued(async () => {
      await ask("drop", { branch: branch.branch });
      S.branches.delete(branch.branch);
      if (S.lane === branch.branch) choose(null);
    }));
  }
}

function beside() {
  const parent = $("beside"), now = absolute();
  parent.replaceChildren();
  parent.parentElement.hidden = !S.branches.size;
  for (const branch of S.branches.values()) {
    const at = now - branch.begin, found = branch.list[Math.max(0, Math.min(branch.list.length - 1, at))];
    const figure = element("figure", undefined, parent);
    const { dream } = look(found);
    const canvas = element("canvas", undefined, figure);
    if (dream) put(canvas, dream); else canvas.hidden = true;
    const late = at > branch.list.length - 1 ? " (its last row)" : at < 0 ? " (its first row)" : "";
    element("figcaption", `branch ${branch.branch}: value ${short(found.said.value)}${late}`, figure).style.color = color(branch.branch);
    figure.addEventListener("click", () => { S.lane = branch.branch; go(Math.max(0, at)); });
  }
}

function draw() {
  if (!S.episode) return;
  $("row").max = last();
  $("row").value = S.at;
  const found = row(), where = lane() ? `branch ${S.lane}, row ${absolute()} (${S.at} after it began)` : `episode, row ${S.at}`;
  $("where").textContent = where;
  $("clips").classList.toggle("flip", S.flip);
  lanes();
  if (found) {
    clips(found);
    const said = found.said, parts = [`reward ${short(said.reward)}${found.reward === null ? "" : ` (true ${short(found.reward)})`}`,
      `continue ${short(said.cont)}`, `value ${short(said.value)}`];
    for (const [key, about] of Object.entries(S.facts.observations)) {
      if (about.kind === "discrete" && found.real && found.real[key].length <= 12) parts.push(`${key} ${found.real[key].join(" ")}`);
    }
    $("now").textContent = (found.act ? `${found.act} → ` : "") + parts.join(", ") + (found.over ? ". Reality ends here." : "");
  }
  $("notice").textContent = lane() ? lane().notice : "";
  numberLines();
  beside();
  curves();
  $("play").textContent = S.playing ? "Pause (Space)" : "Play (Space)";
  document.body.dataset.at = S.at;
  document.body.dataset.lane = S.lane === null ? "" : S.lane;
}

// ---- dreaming ---------------------------------------------------------------------------------

function keep(found) {
  const known = S.branches.get(found.branch);
  const list = known ? known.list : [found.row];
  S.branches.set(found.branch, { ...found, list: list.concat(found.new || []) });
  return found.branch;
}

const whole = (id) => Math.max(0, Math.round(Number($(id).value) || 0));

async function branchHere() {
  const body = { at: S.at, parent: S.lane, seed: whole("noise"), reality: $("reality").checked };
  S.lane = keep(await ask("branch", body));
  S.at = 0;
}

// Dream on from the row that is shown: at the end of a branch in it, elsewhere in a new one.
async function act(who, action, steps) {
  if (S.lane === null || S.at < last()) await branchHere();
  keep(await ask("act", { branch: S.lane, who, steps: steps || 1, ...(action ? { action } : {}) }));
  S.at = last();
  draw();
  await new Promise((done) => requestAnimationFrame(done));
}

function byHand() {
  const action = {};
  for (const part of S.facts.choices) (action[part.key] = action[part.key] || [])[part.component] = Number($(`set-${part.key}-${part.component}`).value);
  for (const part of S.facts.slides) (action[part.key] = action[part.key] || [])[part.component] = Number($(`set-${part.key}-${part.component}`).value);
  return action;
}

function advance(wanted) {
  const who = $("who").value, left = S.episode.rows - 1 - absolute();
  const steps = who === "recorded" && left > 0 ? Math.min(wanted, left) : wanted;
  return queued(() => act(who, who === "given" ? byHand() : null, steps));
}

async function play() {
  S.playing = !S.playing;
  draw();
  while (S.playing) {
    const begun = performance.now();
    if (S.at < last()) go(S.at + 1);
    else if (S.lane === null) S.playing = false;
    else await advance(1);
    const pause = 1000 / Math.max(1, whole("speed")) - (performance.now() - begun);
    await new Promise((done) => setTimeout(done, Math.max(0, pause)));
  }
  draw();
}

function controls() {
  const { choices, slides, keys } = S.facts, parent = $("actions");
  parent.replaceChildren();
  const lone = choices.length === 1 && !slides.length;
  const named = {};
  for (const [key, index] of Object.entries(keys)) (named[index] = named[index] || []).push(key.replace("Arrow", "").replace("Left", "←").replace("Right", "→").replace("Up", "↑").replace("Down", "↓"));
  if (lone) {
    choices[0].names.forEach((name, index) => {
      const button = element("button", name, parent);
      if (named[index]) element("kbd", named[index].join(" "), button);
      button.addEventListener("click", () => queued(() => act("given", { [choices[0].key]: [index] })));
    });
  }
  for (const part of choices) {
    const label = element("label", lone ? "" : `${part.key} `, parent);
    label.hidden = lone;
    const select = element("select", undefined, label);
    select.id = `set-${part.key}-${part.component}`;
    part.names.forEach((name, index) => { element("option", name, select).value = index; });
  }
  for (const part of slides) {
    const label = element("label", `${part.name} `, parent);
    const slide = element("input", undefined, label);
    Object.assign(slide, { type: "range", min: -1, max: 1, step: 0.05, value: 0, id: `set-${part.key}-${part.component}` });
    const told = element("output", "", label);
    const tell = () => { told.textContent = short(part.low + ((Number(slide.value) + 1) / 2) * (part.high - part.low)); };
    slide.addEventListener("input", tell);
    tell();
  }
  if (!lone) {
    const button = element("button", "Act", parent);
    button.id = "act";
    button.addEventListener("click", () => queued(() => act("given", byHand())));
  }
}

document.addEventListener("keydown", (event) => {
  const inField = event.target.matches("input, select, textarea");
  if (inField || event.ctrlKey || event.metaKey || event.altKey || !S.episode) return;
  const { key } = event;
  if (S.facts.keys[key] !== undefined) {
    event.preventDefault();
    queued(() => act("given", { [S.facts.choices[0].key]: [S.facts.keys[key]] }));
  } else if (/^[0-9]$/.test(key) && S.facts.choices.length === 1 && !S.frozen) {
    trouble(`there is no action on key ${key}: this task has ${S.facts.choices[0].names.join(", ")}.`);
  } else if (commands[key]) {
    event.preventDefault();
    commands[key]();
  }
});

const commands = {
  " ": () => play(),
  Enter: () => S.frozen || advance(1),
  b: () => S.frozen || queued(branchHere),
  t: () => { S.flip = !S.flip; draw(); },
  ",": () => go(S.at - 1),
  ".": () => go(S.at + 1),
  Home: () => go(0),
  End: () => go(last()),
};

// ---- questions --------------------------------------------------------------------------------

function tell(name, found) {
  S.studies[name] = found;
  ({ what_if: whatIf, drift, calibration })[name](found);
}

function whatIf(found) {
  const parent = $("what_if");
  parent.replaceChildren();
  element("p", `From row ${found.row}${found.branch ? ` of branch ${found.branch}` : ""}; pictures after ${found.steps} rows. The green frame: the largest value. Click one to dream on with it.`, parent).className = "soft";
  const tiles = element("div", undefined, parent);
  tiles.className = found.options[0].place.length === 2 ? "tiles grid" : "tiles";
  found.options.forEach((option, index) => {
    const figure = element("figure", undefined, tiles);
    if (index === found.best) figure.className = "best";
    const picture = Object.values(option.shown).find(isPicture);
    const canvas = element("canvas", undefined, figure);
    canvas.height = 2;
    if (picture) put(canvas, picture);
    element("figcaption", `${option.name}: value ${short(option.value)} ± ${short(option.spread)}, reward ${short(option.reward)}, continue ${short(option.cont)}`, figure);
    if (!S.frozen) figure.addEventListener("click", () => queued(async () => {
      S.lane = found.branch;
      S.at = found.row;
      await branchHere();
      await act("given", option.action);
    }));
  });
}

function drift(found) {
  const parent = $("drift");
  parent.replaceChildren();
  for (const [key, part] of Object.entries(found.keys)) {
    const x = spread(part.still.length, 1), [low, middle, high] = part.band;
    const unit = S.facts.observations[key].kind === "image" ? "mean difference of a pixel, of 255" : "in standard deviations";
    chart(parent, `Drift of ${key} from row ${found.row}`, `${unit}, by dreamed rows`, [
      { x, y: middle, color: "var(--c1)" },
      { x, y: part.still, color: "var(--ink)", dash: "5 4", thin: true },
      { x, y: part.looked, color: "var(--ink)", dash: "1 3", thin: true }], { band: { x, low, high, color: "var(--c1)" } });
  }
  const x = spread(found.reward.true.length, 1), [low, middle, high] = found.reward.band;
  chart(parent, `Reward from row ${found.row}`, "dots: the true one", [
    { x, y: middle, color: "var(--c1)" }, { x, y: found.reward.true, color: "var(--ink)", dots: true }], { band: { x, low, high, color: "var(--c1)" } });
}

function calibration(found) {
  const parent = $("calibration");
  parent.replaceChildren();
  for (const [name, bins] of Object.entries(found)) {
    const x = bins.map((b) => b.predicted), y = bins.map((b) => b.true), most = Math.max(...bins.map((b) => b.count));
    const ends = [Math.min(...x, ...y), Math.max(...x, ...y)];
    const sizes = bins.map((b) => 2 + 6 * Math.sqrt(b.count / most));
    const total = bins.reduce((sum, b) => sum + b.count, 0);
    chart(parent, `Calibration of ${CURVES[name].toLowerCase()}`, `true against predicted, ${total} dreamed rows`, [
      { x: ends, y: ends, color: "var(--faint)", dash: "4 4", thin: true }, { x, y, color: "var(--c0)", dots: true, sizes }], { square: true });
  }
}

async function study(name, body) {
  const button = $(`ask-${name}`);
  button.disabled = true;
  await queued(async () => tell(name, await ask(name, body())));
  button.disabled = false;
}

// ---- beginning and keeping --------------------------------------------------------------------

function fill(select, names) {
  select.replaceChildren();
  names.forEach((name, index) => { element("option", name, select).value = index; });
}

function kinds() {
  const played = $("kind").value === "played";
  $("number-label").hidden = played;
  for (const id of ["seed-label", "greedy-label"]) $(id).hidden = !played;
  $("task-label").hidden = !played || S.facts.tasks.length < 2;
  $("reality-label").hidden = !played;
  if (!played) $("reality").checked = false;
}

async function open() {
  const played = $("kind").value === "played";
  $("episode").textContent = played ? "the agent plays an episode…" : "…";
  const body = played
    ? { kind: "played", number: whole("seed"), greedy: $("greedy").checked, task: S.facts.tasks[whole("task")] }
    : { kind: "replay", number: whole("number") };
  try {
    show(await ask("open", body));
    await load(0);
  } finally {
    $("episode").textContent = S.episode ? `${S.episode.name}, return ${short(S.episode.return)}` : "";
  }
}

function show(episode) {
  Object.assign(S, { episode, rows: new Map(), branches: new Map(), lane: null, at: 0, playing: false, studies: {} });
  for (const id of ["what_if", "drift", "calibration"]) $(id).replaceChildren();
}

async function download(path, body, name) {
  await queued(async () => {
    const blob = await (await post(path, body)).blob();
    const link = element("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  });
}

function introduce() {
  const { title } = S.facts;
  $("title").textContent = title.task;
  $("facts").textContent = `run ${title.run} · agent ${title.agent}, size ${title.size}, ${title.parameters.toLocaleString("en")} parameters · weights of step ${title.step.toLocaleString("en")} · Reverie ${title.version}`;
  const pictures = Object.entries(S.facts.observations).filter(([, about]) => about.kind === "image").map(([key]) => key);
  S.key = pictures[0] || "";
  fill($("key"), pictures);
  $("key-label").hidden = pictures.length < 2;
  $("key").addEventListener("change", () => { S.key = pictures[whole("key")]; draw(); });
}

function begin() {
  const { facts } = S;
  fill($("number"), facts.replay);
  $("number").value = facts.first;
  fill($("task"), facts.tasks);
  for (const [kind, name, missing] of [["replay", "of the replay", facts.no_replay], ["played", "played now", facts.no_reality]]) {
    const option = element("option", missing ? `${name} (not here)` : name, $("kind"));
    option.value = kind;
    option.disabled = Boolean(missing);
    option.title = missing;
    if (missing) trouble(`${name}: ${missing}`);
  }
  if (facts.no_replay) $("kind").value = "played";
  const words = { recorded: "the recorded actions", sampled: "the policy, sampled", greedy: "the policy, greedy", given: "you" };
  for (const who of facts.actors) element("option", words[who], $("who")).value = who;
  $("who").value = "sampled";
  for (const id of ["one", "two"]) { fill($(id), facts.slides.map((part) => part.name)); }
  $("pair-label").hidden = !facts.slides.length;
  $("two").hidden = facts.slides.length < 2;
  if (facts.slides.length > 1) $("two").value = 1;
  controls();
  kinds();
}

function listen() {
  $("kind").addEventListener("change", kinds);
  $("open").addEventListener("click", () => queued(open));
  $("row").addEventListener("input", () => go(Number($("row").value)));
  for (const [id, key] of [["home", "Home"], ["back", ","], ["next", "."], ["flip", "t"], ["play", " "], ["branch", "b"], ["step", "Enter"]]) {
    $(id).addEventListener("click", () => { commands[key](); $(id).blur(); });
  }
  $("many").addEventListener("click", () => advance(16));
  const here = () => ({ row: S.at, branch: S.lane });
  const pair = () => S.facts.slides.length ? [...new Set([$("one"), $("two")].slice(0, S.facts.slides.length).map((s) => S.facts.slides[Number(s.value)].name))] : [];
  $("ask-what_if").addEventListener("click", () => study("what_if", () => ({ ...here(), steps: whole("steps"), components: pair() })));
  $("ask-drift").addEventListener("click", () => study("drift", () => ({ row: lane() ? lane().origin : S.at })));
  $("ask-calibration").addEventListener("click", () => study("calibration", () => ({})));
  $("keep-page").addEventListener("click", () => download("/page", {}, "dream.html"));
  for (const kind of ["gif", "mp4"]) $(`keep-${kind}`).addEventListener("click", () => {
    if (S.lane === null) { trouble("choose a branch first: a film is of one dream."); return; }
    download("/film", { branch: S.lane, kind, key: S.key || null }, `dream.${kind}`);
  });
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function start() {
  const packed = $("packed").textContent.trim();
  listen();
  if (packed) {
    const found = await unpack(packed);
    Object.assign(S, { frozen: found, facts: found.facts });
    for (const part of document.querySelectorAll(".live")) part.hidden = true;
    introduce();
    show(found.episode);
    for (const one of found.rows) S.rows.set(one.n, one);
    for (const one of found.branches) S.branches.set(one.branch, { ...one, list: one.all });
    S.at = found.rows.length ? found.rows[0].n : 0;
    draw();
    for (const [name, study_] of Object.entries(found.studies)) tell(name, study_);
    if (S.branches.size) choose([...S.branches.keys()].pop());
  } else {
    const { session, ...facts } = await ask("hello");
    Object.assign(S, { session, facts });
    introduce();
    begin();
    await queued(open);
  }
  document.body.dataset.ready = "yes";
}

start().catch((error) => trouble(error.message));
