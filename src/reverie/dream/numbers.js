// ---- observations that are no pictures -------------------------------------------------------

const MOST_LINES = 12;

// Every number and class of an observation: {key, i, name, kind, moves}, those first that vary most in the episode.
function components() {
  const found = [];
  for (const [key, { kind, names }] of Object.entries(S.facts.observations)) {
    if (kind !== "image") names.forEach((name, i) => found.push({ key, i, name, kind, moves: S.episode.moves[key][i] }));
  }
  return found.sort((a, b) => b.moves - a.moves);
}

const numberOf = (values, part) => (values && values[part.key] ? values[part.key][part.i] : null);

// Rows around the dreams; without one those of the episode that are here.
function around() {
  const begins = [...S.branches.values()].map((b) => b.begin), ends = [...S.branches.values()].map((b) => b.begin + b.list.length - 1);
  const here = begins.length ? [Math.min(...begins) - 16, Math.max(...ends) + 16] : [...S.rows.keys()].reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)], [Infinity, -Infinity]);
  const from = Math.max(0, Math.min(here[0], absolute())), to = Math.max(here[1], absolute());
  return { from, x: spread(to - from + 1, from) };
}

// A chart a number: the episode, every branch in its colour, and what is really so under the chosen one.
function numberLines() {
  const parent = $("lines"), every = components(), drawn = S.everyNumber ? every : every.slice(0, MOST_LINES);
  parent.replaceChildren();
  const { x } = around(), own = lane(), here = row();
  for (const part of drawn) {
    const known = (n) => S.rows.get(n);
    const lines = [{ x, y: x.map((n) => numberOf(known(n) && known(n).real, part)), color: "var(--ink)", thin: true }];
    for (const branch of S.branches.values()) {
      lines.push({ x: spread(branch.list.length, branch.begin), y: branch.list.map((r) => numberOf(r.shown, part)), color: color(branch.branch) });
    }
    if (own) lines.push({ x: spread(own.list.length, own.begin), y: own.list.map((r) => numberOf(r.real, part)), color: "var(--ink)", dots: true });
    else lines.push({ x, y: x.map((n) => numberOf(known(n) && known(n).shown, part)), color: "var(--c0)", dash: "3 3" });
    const note = here ? `reality ${short(numberOf(here.real, part))}, model ${short(numberOf(here.shown, part))}` : "";
    chart(parent, part.name, note, lines, { cursor: absolute() });
  }
  $("lines-note").hidden = every.length <= MOST_LINES;
  $("lines-note").firstChild.textContent = S.everyNumber
    ? `All ${every.length} numbers are drawn.`
    : `${drawn.length} of ${every.length} numbers are drawn: those that vary most in this episode, each in its own units.`;
  $("every-number").textContent = S.everyNumber ? `Draw ${MOST_LINES}` : "Draw all";
}

// The numbers of one look, those first in which it may differ from the `others`: a dot shows where it stands among them.
function numberList(parent, shown, others, most) {
  const found = components().filter((part) => numberOf(shown, part) !== null);
  const values = new Map(found.map((part) => [part, others.map((other) => numberOf(other, part)).filter((v) => v !== null)]));
  const width = (part) => Math.max(...values.get(part)) - Math.min(...values.get(part));
  found.sort((a, b) => width(b) - width(a));
  const list = element("div", undefined, parent);
  list.className = "numbers";
  for (const part of found.slice(0, most)) {
    element("span", part.name, list);
    element("b", short(numberOf(shown, part)), list);
    const plot = svg("svg", { viewBox: "0 0 100 8" }, list), lo = Math.min(...values.get(part)), wide = width(part);
    const X = (v) => (wide ? 5 + (90 * (v - lo)) / wide : 50);
    for (const v of values.get(part)) svg("circle", { cx: X(v), cy: 4, r: 2, fill: "var(--rule)" }, plot);
    svg("circle", { cx: X(numberOf(shown, part)), cy: 4, r: 3.5, fill: "var(--c0)" }, plot);
  }
  if (found.length > most) element("small", `and ${found.length - most} more, which differ less`, list);
}
