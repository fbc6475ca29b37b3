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
  const shownOf = (branch) => branch.list[Math.max(0, Math.min(branch.list.length - 1, now - branch.begin))];
  const moment = [...S.branches.values()].map(shownOf);
  for (const branch of S.branches.values()) {
    const at = now - branch.begin, found = shownOf(branch);
    const figure = element("figure", undefined, parent);
    const { dream } = look(found);
    const canvas = element("canvas", undefined, figure);
    if (dream) put(canvas, dream); else canvas.hidden = true;
    numberList(figure, found.shown, moment.map((r) => r.shown), dream ? 4 : 8);
    const late = at > branch.list.length - 1 ? " (its last row)" : at < 0 ? " (its first row)" : "";
    element("figcaption", `branch ${branch.branch}: value ${short(found.said.value)}${late}`, figure).style.color = color(branch.branch);
    figure.addEventListener("click", () => { S.lane = branch.branch; go(Math.max(0, at)); });
  }
}

// Which rows an exported page holds, where it has not got them all.
function packed() {
  if (!S.frozen || S.frozen.rows.length === S.episode.rows) return "";
  return ` (this file holds rows ${S.frozen.rows[0].n} to ${S.frozen.rows.at(-1).n} of 0 to ${S.episode.rows - 1})`;
}

function draw() {
  if (!S.episode) return;
  $("row").min = first();
  $("row").max = last();
  $("row").value = S.at;
  const found = row(), where = lane() ? `branch ${S.lane}, row ${absolute()} (${S.at} after it began)` : `episode, row ${S.at}${packed()}`;
  $("where").textContent = where;
  $("clips").classList.toggle("flip", S.flip);
  lanes();
  clips(found);
  if (found) {
    const said = found.said, parts = [`reward ${short(said.reward)}${found.reward === null ? "" : ` (true ${short(found.reward)})`}`,
      `continue ${short(said.cont)}`, `value ${short(said.value)}`];
    $("now").textContent = (found.act ? `${found.act} → ` : "") + parts.join(", ") + (found.over ? ". Reality ends here." : "");
  } else $("now").textContent = "This row is being fetched…";
  $("notice").textContent = lane() ? lane().notice : "";
  numberLines();
  beside();
  curves();
  $("play").textContent = S.playing ? "Pause (Space)" : "Play (Space)";
  document.body.dataset.at = S.at;
  document.body.dataset.lane = S.lane === null ? "" : S.lane;
}
