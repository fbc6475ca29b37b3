// ---- questions --------------------------------------------------------------------------------

function tell(name, found) {
  S.studies[name] = found;
  ({ what_if: whatIf, drift, calibration })[name](found);
}

// Where a question was asked, in words.
const asked = (found) => `row ${found.row}${found.branch === null ? "" : ` of branch ${found.branch}`}`;

function whatIf(found) {
  const parent = $("what_if");
  parent.replaceChildren();
  const lines = [`From ${asked(found)}; what is shown is what the model sees after ${found.steps} rows (a dot: where it stands among all actions). The green frame: the largest value. Click one to dream on with it.`, found.note];
  for (const line of lines) if (line) element("p", line, parent).className = "soft";
  for (const size of [0, 1, 2]) {
    const group = found.options.filter((option) => option.place.length === size);
    if (!group.length) continue;
    const tiles = element("div", undefined, parent);
    tiles.className = size === 2 ? "tiles grid" : "tiles";
    for (const option of group) tile(tiles, option, found, group);
  }
}

function tile(tiles, option, found, group) {
  const figure = element("figure", undefined, tiles);
  if (option === found.options[found.best]) figure.className = "best";
  const picture = option.shown[S.key];
  if (picture) put(element("canvas", undefined, figure), picture);
  numberList(figure, option.shown, group.map((o) => o.shown), picture ? 4 : 8);
  element("figcaption", `${option.name}: value ${short(option.value)} ± ${short(option.spread)}, reward ${short(option.reward)}, continue ${short(option.cont)}`, figure);
  if (!S.frozen) figure.addEventListener("click", () => queued(async () => {
    S.lane = found.branch;
    S.at = found.row;
    await branchHere();
    await act("given", option.action);
  }));
}

const UNITS = { image: "mean difference of a pixel, of 255", vector: "in standard deviations", discrete: "share of classes that are wrong" };

function drift(found) {
  const parent = $("drift");
  parent.replaceChildren();
  for (const [key, part] of Object.entries(found.keys)) {
    const x = spread(part.still.length, 1), [low, middle, high] = part.band;
    const unit = UNITS[S.facts.observations[key].kind];
    chart(parent, `Drift of ${key} from ${asked(found)}`, `${unit}, by dreamed rows`, [
      { x, y: middle, color: "var(--c1)" },
      { x, y: part.still, color: "var(--ink)", dash: "5 4", thin: true },
      { x, y: part.looked, color: "var(--ink)", dash: "1 3", thin: true }], { band: { x, low, high, color: "var(--c1)" } });
  }
  const x = spread(found.reward.true.length, 1), [low, middle, high] = found.reward.band;
  chart(parent, `Reward from ${asked(found)}`, "dots: the true one", [
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
