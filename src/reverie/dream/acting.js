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
    else if (S.lane === null || S.frozen) S.playing = false;
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
