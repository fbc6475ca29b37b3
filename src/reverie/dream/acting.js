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

// Until what was drawn is on the screen. Chromium paints no hidden page: there it is as long as a
// slow frame, or every later request would wait until the page is looked at again.
const painted = () => new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 100); });

// Dream on from the row that is shown: at the end of a branch in it, elsewhere in a new one.
async function act(who, action, steps) {
  if (S.lane === null || S.at < last()) await branchHere();
  if (action && isLone()) [S.done] = Object.values(action);
  keep(await ask("act", { branch: S.lane, who, steps: steps || 1, ...(action ? { action } : {}) }));
  S.at = last();
  draw();
  await painted();
}

// The action that is set; of a lone class the one that was last done, else the first.
function byHand() {
  if (isLone()) return { [S.facts.choices[0].key]: S.done || [0] };
  const action = {};
  for (const part of [...S.facts.choices, ...S.facts.slides]) {
    (action[part.key] = action[part.key] || [])[part.component] = Number($(`set-${part.key}-${part.component}`).value);
  }
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
    else if (S.lane === null || S.frozen) S.playing = false;
    else await advance(1);
    const pause = 1000 / Math.max(1, whole("speed")) - (performance.now() - begun);
    await new Promise((done) => setTimeout(done, Math.max(0, pause)));
  }
  draw();
}

// The keys of every class, as its button or its option shows them.
function keysOf(part, index) {
  const arrows = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
  const found = Object.entries(S.facts.keys).filter(([, [p, c]]) => p === part && c === index);
  return found.map(([key]) => arrows[key] || key).join(" ");
}

const isLone = () => S.facts.choices.length === 1 && !S.facts.slides.length;

// One action of one class: a button each, which acts at once.
function buttons(parent) {
  const [{ key, names }] = S.facts.choices;
  names.forEach((name, index) => {
    const button = element("button", name, parent), keys = keysOf(0, index);
    if (keys) element("kbd", keys, button);
    button.addEventListener("click", () => queued(() => act("given", { [key]: [index] })));
  });
}

// Several classes, or numbers: each is set, then all of them act.
function settings(parent) {
  S.facts.choices.forEach((part, at) => {
    const select = element("select", undefined, element("label", `${labelOf(part)} `, parent));
    select.id = `set-${part.key}-${part.component}`;
    part.names.forEach((name, index) => {
      const keys = keysOf(at, index);
      element("option", keys ? `${name} (${keys})` : name, select).value = index;
    });
  });
  for (const part of S.facts.slides) {
    const label = element("label", `${part.name} `, parent);
    const slide = element("input", undefined, label);
    Object.assign(slide, { type: "range", min: -1, max: 1, step: 0.05, value: 0, id: `set-${part.key}-${part.component}` });
    const told = element("output", "", label);
    const tell = () => { told.textContent = short(part.low + ((Number(slide.value) + 1) / 2) * (part.high - part.low)); };
    slide.addEventListener("input", tell);
    tell();
  }
  const button = element("button", "Act ", parent);
  element("kbd", "a", button);
  button.id = "act";
  button.addEventListener("click", () => commands.a());
}

const labelOf = (part) => (S.facts.choices.filter((other) => other.key === part.key).length > 1 ? `${part.key}[${part.component}]` : part.key);

function controls() {
  const { choices, keys } = S.facts, parent = $("actions");
  parent.replaceChildren();
  (isLone() ? buttons : settings)(parent);
  const classes = choices.reduce((sum, part) => sum + part.names.length, 0);
  const left = classes - new Set(Object.values(keys).map(String)).size;
  if (left) element("small", `${left} of ${classes} classes have no key.`, parent);
}

// What a key of an action does: act at once, or set one class of several.
function press(key) {
  const [part, index] = S.facts.keys[key], choice = S.facts.choices[part];
  if (isLone()) queued(() => act("given", { [choice.key]: [index] }));
  else $(`set-${choice.key}-${choice.component}`).value = index;
}

function noSuchAction(key) {
  const names = S.facts.choices.flatMap((part) => part.names), most = 20;
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  trouble(`there is no action on key ${key}: ${names.length ? `this task has ${names.slice(0, most).join(", ")}${more}` : "this task has sliders"}.`);
}

document.addEventListener("keydown", (event) => {
  const inField = event.target.matches("input, select, textarea, summary");
  if (inField || event.ctrlKey || event.metaKey || event.altKey || !S.episode) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (S.facts.keys[key] !== undefined) {
    event.preventDefault();
    press(key);
  } else if (commands[key]) {
    event.preventDefault();
    commands[key]();
  } else if (/^[0-9a-z]$/.test(key) && !S.frozen) noSuchAction(key);
});

const commands = {
  " ": () => play(),
  Enter: () => S.frozen || advance(1),
  a: () => S.frozen || queued(() => act("given", byHand())),
  b: () => S.frozen || queued(branchHere),
  t: () => { S.flip = !S.flip; draw(); },
  ",": () => go(S.at - 1),
  ".": () => go(S.at + 1),
  Home: () => go(0),
  End: () => go(last()),
};
