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
