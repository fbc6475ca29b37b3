// ---- beginning and keeping --------------------------------------------------------------------

function fill(select, names) {
  select.replaceChildren();
  names.forEach((name, index) => { element("option", name, select).value = index; });
}

function kinds() {
  const kind = $("kind").value, played = kind === "played";
  fill($("number"), kind === "evaluation" ? spread(S.facts.evaluations).map((n) => `evaluation ${n}`) : S.facts.replay);
  if (kind === "replay") $("number").value = S.facts.first;
  $("number-label").hidden = played;
  for (const id of ["seed-label", "greedy-label"]) $(id).hidden = !played;
  $("task-label").hidden = kind === "replay" || S.facts.tasks.length < 2;
  $("reality-label").hidden = kind === "replay";
  if (kind === "replay") $("reality").checked = false;
}

function wanted() {
  const kind = $("kind").value, task = S.facts.tasks[whole("task")];
  if (kind === "replay") return { kind, number: whole("number") };
  if (kind === "evaluation") return { kind, number: whole("number"), task };
  return { kind, number: whole("seed"), greedy: $("greedy").checked, task };
}

async function open() {
  const body = wanted();
  $("episode").textContent = body.kind === "replay" ? "…" : "the agent plays an episode…";
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

// Open at the first visit, closed once it was.
function legend() {
  try {
    $("legend").open = !localStorage.getItem("reverie.dream.legend");
    localStorage.setItem("reverie.dream.legend", "seen");
  } catch (error) {
    $("legend").open = true; // a browser that keeps nothing
  }
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
  fill($("task"), facts.tasks);
  const uncounted = facts.evaluations ? "" : "the run makes no evaluations (train.eval_episodes is 0).";
  const offered = [["replay", "of the replay", facts.no_replay], ["evaluation", "of the evaluation", facts.no_reality || uncounted], ["played", "played now", facts.no_reality]];
  for (const [kind, name, missing] of offered) {
    const option = element("option", missing ? `${name} (not here)` : name, $("kind"));
    option.value = kind;
    option.disabled = Boolean(missing);
    option.title = missing;
    if (missing && kind !== "evaluation") trouble(`${name}: ${missing}`);
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
  // Keys act again as soon as something is chosen.
  document.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]")) event.target.blur(); });
  $("many").addEventListener("click", () => advance(16));
  const here = () => ({ row: S.at, branch: S.lane });
  const pair = () => S.facts.slides.length ? [...new Set([$("one"), $("two")].slice(0, S.facts.slides.length).map((s) => S.facts.slides[Number(s.value)].name))] : [];
  $("ask-what_if").addEventListener("click", () => study("what_if", () => ({ ...here(), steps: whole("steps"), components: pair() })));
  $("ask-drift").addEventListener("click", () => study("drift", () => ({ ...here(), samples: whole("samples"), ...($("horizon").value ? { horizon: whole("horizon") } : {}) })));
  $("ask-calibration").addEventListener("click", () => study("calibration", () => ({})));
  $("keep-page").addEventListener("click", () => download("/page", {}, "dream.html"));
  $("every-number").addEventListener("click", () => { S.everyNumber = !S.everyNumber; draw(); });
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
  legend();
  if (packed) {
    const found = await unpack(packed);
    Object.assign(S, { frozen: found, facts: found.facts });
    for (const part of document.querySelectorAll(".live")) part.hidden = true;
    introduce();
    show(found.episode);
    for (const one of found.rows) S.rows.set(one.n, one);
    for (const one of found.branches) S.branches.set(one.branch, { ...one, list: one.all });
    S.at = first();
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
