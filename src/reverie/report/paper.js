// A chart as SVG: drawn when it is seen, pointed at, zoomed by dragging.
const paper = (() => {
  const {state, data} = curves;
  const make = (parent, tag, attributes, words) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (words !== undefined) e.textContent = words;
    parent.append(e);
    return e;
  };
  const round = v => Math.round(v * 10) / 10;
  const path = (xs, ys, ok) => {
    const parts = [[]];
    for (let i = 0; i < xs.length; i++) if (ok(i)) parts.at(-1).push(round(xs[i]) + "," + round(ys[i])); else if (parts.at(-1).length) parts.push([]);
    return parts.filter(p => p.length);
  };

  const axes = (svg, box, x, y, lines, lead) => {
    const main = box === curves.MAIN, [factor, name] = curves.unit(x.high);
    for (const tick of y.log ? curves.logTicks(y.low, y.high) : curves.ticks(y.low, y.high, main ? 5 : 4)) {
      make(svg, "line", {class: "grid", x1: box.left, x2: box.width - box.right, y1: round(y(tick)), y2: round(y(tick))});
      make(svg, "text", {class: "tick y", x: box.left - 6, y: round(y(tick) + 3.5)}, curves.label(tick));
    }
    for (const tick of x.log ? curves.logTicks(x.low / factor, x.high / factor) : curves.ticks(x.low / factor, x.high / factor, main ? 8 : 4))
      make(svg, "text", {class: "tick x", x: round(x(tick * factor)), y: box.height - box.bottom + 16}, curves.label(tick));
    make(svg, "line", {class: "axis", x1: box.left, x2: box.width - box.right, y1: box.height - box.bottom, y2: box.height - box.bottom});
    if (y.log) make(svg, "text", {class: "tick note", x: box.left + 3, y: box.top - 4}, "logarithmic" + (lead.below ? `; ${lead.below} values of 0 and less not shown` : ""));
    const words = (main || state.x !== "step" ? name : "") + (x.log ? (main || state.x !== "step" ? ", " : "") + "logarithmic" : "");
    if (words) make(svg, "text", {class: "tick end", x: box.width - box.right, y: box.height - box.bottom - 5}, words);
    if (!lines.length) make(svg, "text", {class: "tick note", x: box.left + 8, y: box.height / 2}, lead.empty);
  };

  const curve = (g, line, x, y) => {
    const px = line.x.map(x), seen = i => line.x[i] >= (x.log ? 1e-300 : -Infinity), fits = v => !y.log || v > 0;
    const style = line.color + (line.dash ? " dash" : "");
    if (line.kind === "points") {
      const group = make(g, "g", {class: "points " + line.color});
      px.forEach((a, i) => {
        if (!seen(i) || !fits(line.y[i])) return;
        const low = line.error && line.y[i] - line.error[i], b = y(line.y[i]);
        if (line.error) make(group, "line", {x1: a, x2: a, y1: fits(low) ? y(low) : y(y.low), y2: y(line.y[i] + line.error[i])});
        make(group, "path", {d: `M${round(a)} ${round(b - 5)}l5 5-5 5-5-5z`});
      });
      return;
    }
    if (line.band) {
      const {low, high} = line.band, ok = line.band.x.map((_, i) => i).filter(i => line.band.x[i] >= x.low && fits(high[i]));
      const at = (i, v) => round(x(line.band.x[i])) + "," + round(y(fits(v) ? v : y.low));
      const edge = [...ok.map(i => at(i, high[i])), ...ok.reverse().map(i => at(i, low[i]))];
      if (edge.length) make(g, "polygon", {class: "band " + line.color, points: edge.join(" ")});
    }
    for (const part of path(px, line.mean.map(v => fits(v) ? y(v) : NaN), i => seen(i) && fits(line.mean[i])))
      if (part.length === 1) { const [cx, cy] = part[0].split(","); make(g, "circle", {class: "dot " + line.color, cx, cy, r: 3}); }
      else make(g, "polyline", {class: "line " + style, points: part.join(" ")});
  };

  const draw = chart => {
    const main = !!chart.dataset.main, box = main ? curves.MAIN : curves.SMALL, [low, high] = curves.range();
    const x = curves.scale(low, high, box.left, box.width - box.right, state.logx), [lines, unknown] = curves.linesOf(chart, [low, high]);
    const log = state.y === "log" || (state.y === "" && chart.dataset.log === "yes" && curves.wantsLog(lines)), levels = main ? data.levels : [];
    const [bottom, top, below] = curves.extent(lines, x, log, levels), y = curves.scale(bottom, top, box.height - box.bottom, box.top, log);
    const svg = make(document.createDocumentFragment(), "svg", {viewBox: `0 0 ${box.width} ${box.height}`, role: "img", "aria-label": chart.dataset.metric});
    axes(svg, box, x, y, lines, {below, empty: unknown.length ? "not logged" : "no point here"});
    const inside = {x: box.left - 6, y: box.top - 4, width: box.width - box.right - box.left + 12, height: box.height - box.bottom - box.top + 8};
    const inner = make(svg, "svg", {...inside, viewBox: Object.values(inside).join(" ")});
    for (const {name, value} of levels) if (value >= bottom && value <= top) {
      make(inner, "line", {class: "level", x1: box.left, x2: box.width - box.right, y1: y(value), y2: y(value)});
      make(inner, "text", {class: "tick note", x: box.left + 4, y: y(value) - 4}, name);
    }
    for (const line of lines) curve(inner, line, x, y);
    make(svg, "g", {class: "hover"});
    chart.replaceChildren(svg);
    chart.drawn = {x, y, box, lines, log, unknown};
    chart.dataset.scale = log ? "log" : "linear";
    const last = chart.parentElement.querySelector("header b");
    if (last) { const only = data.runs.length === 1 && (data.curves[data.runs[0].id] || {})[chart.dataset.metric]; last.textContent = only ? page.short(only.last) : ""; }
    if (chart.pointed) point(chart, chart.pointed);
  };

  const place = (chart, event) => {
    const {x, box} = chart.drawn, frame = chart.firstChild.getBoundingClientRect();
    const at = (event.clientX - frame.left) / frame.width * box.width;
    return Math.min(x.high, Math.max(x.low, x.back(at)));
  };
  const point = (chart, event) => {
    const {x, y, box, lines} = chart.drawn, hover = chart.querySelector(".hover"), at = place(chart, event);
    hover.replaceChildren();
    if (chart.from !== undefined) { const [a, b] = [x(chart.from), x(at)].sort((p, q) => p - q); make(hover, "rect", {class: "observed", x: a, y: box.top, width: b - a, height: box.height - box.bottom - box.top}); }
    const found = lines.map(l => [l, page.nearest(l.x, at)]).filter(([l, i]) => l.x.length && l.x[i] >= x.low && l.x[i] <= x.high);
    if (!found.length) { page.hush(); return; }
    const focus = found.map(([l, i]) => l.x[i]).reduce((p, q) => Math.abs(x(q) - x(at)) < Math.abs(x(p) - x(at)) ? q : p);
    make(hover, "line", {x1: x(focus), x2: x(focus), y1: box.top, y2: box.height - box.bottom});
    const rows = [];
    for (const [line, i] of found) {
      if (Math.abs(x(line.x[i]) - x(focus)) > 14) continue;
      const value = line.mean ? line.mean[i] : line.y[i], spread = line.error ? ` ± ${page.short(line.error[i])}` : line.high && line.high[i] > line.low[i] && line.kind !== "points" ? ` [${page.short(line.low[i])}, ${page.short(line.high[i])}]` : "";
      if (!y.log || value > 0) make(hover, "circle", {cx: x(line.x[i]), cy: y(value), r: 3.6, class: line.color});
      rows.push([line.color, page.short(value) + spread, line.label]);
    }
    const [factor, name] = curves.unit(x.high);
    page.say(`${name} ${factor === 1 ? Math.round(focus).toLocaleString("en") : (focus / factor).toFixed(2)}`, rows.slice(0, 24), event);
  };

  const watched = new IntersectionObserver(entries => {
    for (const entry of entries) { entry.target.seen = entry.isIntersecting; if (entry.isIntersecting && entry.target.stale) refresh(entry.target); }
  }, {rootMargin: "200px"});
  const refresh = chart => { chart.stale = !chart.seen; if (chart.seen) draw(chart); };
  const all = () => document.querySelectorAll(".curve").forEach(refresh);
  addEventListener("beforeprint", () => document.querySelectorAll(".curve").forEach(draw));
  const zoom = span => { state.zoom = span; document.dispatchEvent(new Event("zoomed")); all(); };

  const dress = root => root.querySelectorAll(".curve").forEach(chart => {
    chart.stale = true;
    watched.observe(chart);
    chart.addEventListener("pointerleave", () => { chart.pointed = null; delete chart.from; if (chart.drawn) chart.querySelector(".hover").replaceChildren(); page.hush(); });
    chart.addEventListener("pointermove", event => { if (chart.drawn) { chart.pointed = event; point(chart, event); } });
    chart.addEventListener("pointerdown", event => { if (chart.drawn && event.button === 0) { chart.from = place(chart, event); event.preventDefault(); } });
    chart.addEventListener("pointerup", event => {
      if (chart.from === undefined) return;
      const {x} = chart.drawn, span = [chart.from, place(chart, event)].sort((a, b) => a - b);
      delete chart.from;
      if (Math.abs(x(span[1]) - x(span[0])) > 8) zoom(span);
    });
    chart.addEventListener("dblclick", () => zoom(null));
  });
  return {dress, all, zoom};
})();
