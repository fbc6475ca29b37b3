// The curves of runs: unpacked, smoothed, on the axes that are asked for, and drawn.
const curves = (() => {
  const state = {x: "step", smooth: "", y: "", logx: false, band: true, zoom: null, hidden: new Set()};
  const data = {runs: [], levels: [], curves: {}};
  const SMOOTH_FROM = 40, MAIN = {width: 960, height: 340, top: 14, right: 16, bottom: 26, left: 52};
  const SMALL = {width: 340, height: 170, top: 14, right: 10, bottom: 24, left: 44};
  const AXES = {step: "environment step", updates: "update", episodes: "episode", seconds: "wall time"};
  const CLOCKS = {updates: "train/updates", seconds: "time/seconds", episodes: "episode/return"};

  const unpack = text => {
    const bytes = Uint8Array.from(atob(text.slice(2)), c => c.charCodeAt(0));
    return Array.from(text[0] === "f" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer));
  };
  const take = (known, part, own) => {
    const found = {n: part.n, w: part.w, last: part.last};
    for (const key of ["x", "y", "lo", "hi"]) {
      const begin = known ? known[key].slice(0, part.from) : [];
      if (key === "x" && part.x[0] === "@") found.x = own[part.x.slice(1)].x;
      else found[key] = part[key] === undefined ? (key === "lo" || key === "hi" ? found.y : []) : begin.concat(unpack(part[key]));
    }
    return found;
  };
  const merge = answer => {
    data.runs = answer.runs;
    data.levels = answer.levels;
    for (const [id, parts] of Object.entries(answer.curves)) {
      const own = data.curves[id] ||= {};
      for (const [name, part] of Object.entries(parts))
        if (part === null) delete own[name]; else own[name] = take(part.from ? own[name] : null, part, own);
    }
  };

  // From environment steps to the x axis; null where the run does not know.
  const clock = run => {
    if (state.x === "step") return step => step;
    const known = (data.curves[run.id] || {})[CLOCKS[state.x]];
    if (!known || !known.n) return null;
    const sizes = i => i < known.x.length - 1 ? known.w : known.n - known.w * (known.x.length - 1);
    const xs = [0, ...known.x], ys = [0, ...(state.x === "episodes" ? known.x.map((_, i) => known.w * i + (sizes(i) + 1) / 2) : known.y)];
    return step => {
      let i = page.nearest(xs, step);
      if (xs[i] > step && i) i--;
      if (i >= xs.length - 1) return ys.at(-1) + (xs.at(-1) > 0 ? (step - xs.at(-1)) * ys.at(-1) / xs.at(-1) : 0);
      return xs[i + 1] > xs[i] ? ys[i] + (step - xs[i]) / (xs[i + 1] - xs[i]) * (ys[i + 1] - ys[i]) : ys[i];
    };
  };

  const windowOf = (curve, main) => {
    if (state.smooth === "" && curve.n < SMOOTH_FROM) return 1;
    const share = state.smooth === "" ? (main ? 0.05 : 0.02) : Number(state.smooth);
    return Math.max(1, Math.ceil(curve.n * share), state.smooth === "" && main ? Math.min(10, Math.ceil(curve.n / 8)) : 1);
  };
  // Mean of the last `window` points, of stretches of points.
  const smoothed = (curve, window) => {
    const {y, w, n} = curve, out = [];
    let total = 0, count = 0, first = 0, left = w;
    for (let i = 0; i < y.length; i++) {
      const size = i < y.length - 1 ? w : n - w * (y.length - 1);
      total += size * y[i]; count += size;
      if (i === 0) left = size;
      while (count > window && first < i) {
        const drop = Math.min(left, count - window);
        total -= drop * y[first]; count -= drop; left -= drop;
        if (left > 0) break;
        first++;
        left = first < y.length - 1 ? w : n - w * (y.length - 1);
      }
      out.push(first === i ? y[i] : total / count);
    }
    return out;
  };

  const whole = () => {
    let low = Infinity, high = 0;
    for (const run of data.runs) {
      const at = clock(run);
      if (!at) continue;
      high = Math.max(high, at(run.end));
      if (state.logx)
        for (const curve of Object.values(data.curves[run.id] || {}))
          for (const x of curve.x.slice(0, 3)) if (at(x) > 0) low = Math.min(low, at(x));
    }
    return [state.logx ? (low < high ? low : (high || 1) / 10) : 0, high || 1];
  };
  const range = () => state.zoom || whole();

  const ticks = (low, high, count) => {
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map(m => m * power).find(s => s >= raw * 0.999) || raw, out = [];
    for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9) && out.length < 50; i++) out.push(i * step);
    return out;
  };
  const logTicks = (low, high) => {
    const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high)), out = [];
    const stride = Math.max(1, Math.ceil((last - first + 1) / 6)), few = Math.log10(high / low) < 2.5;
    for (let d = first; d <= last; d++) if (d % stride === 0) for (const f of few ? [1, 3] : [1]) out.push(f * 10 ** d);
    const inside = out.filter(t => t >= low && t <= high);
    return inside.length > 1 ? inside : ticks(low, high, 4).filter(t => t > 0);
  };
  const label = v => {
    const size = Math.abs(v);
    if (size === 0) return "0";
    if (size >= 1e10 || size < 1e-3) return v.toExponential(1).replace(".0e", "e").replace("e+", "e");
    for (const [unit, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (size >= unit * 0.99999) return +(v / unit).toPrecision(6) + letter;
    return String(+v.toPrecision(6));
  };
  const unit = high => state.x !== "seconds" ? [1, AXES[state.x]] : high < 120 ? [1, "wall time, seconds"] : high < 7200 ? [60, "wall time, minutes"] : [3600, "wall time, hours"];
  const scale = (low, high, start, end, log) => {
    const f = log ? Math.log : v => v, a = f(low), b = f(high);
    const at = v => start + (f(v) - a) / (b - a) * (end - start);
    at.back = p => { const v = a + (p - start) / (end - start) * (b - a); return log ? Math.exp(v) : v; };
    return Object.assign(at, {low, high, log});
  };

  // Lowest and highest value of stretches of what is seen: few enough that they are an area.
  const band = (curve, x, [low, high], main) => {
    const seen = x.map((_, i) => i).filter(i => x[i] >= low && x[i] <= high), found = {x: [], low: [], high: []};
    if (!seen.length) return found;
    const size = Math.max(1, Math.ceil(seen.length / Math.min(main ? 80 : 40, Math.ceil(seen.length * curve.w / 5))));
    const all = x.map((_, i) => i).slice(Math.max(0, seen[0] - size), seen.at(-1) + 1 + size);
    for (let i = 0; i < all.length; i += size) {
      const part = all.slice(i, i + size);
      found.x.push(part.reduce((sum, j) => sum + x[j], 0) / part.length);
      found.low.push(Math.min(...part.map(j => curve.lo[j])));
      found.high.push(Math.max(...part.map(j => curve.hi[j])));
    }
    return found;
  };

  // What a chart shows: a line, its band in `span` and its points, of every run that is not hidden.
  const linesOf = (chart, span) => {
    const main = !!chart.dataset.main, metric = chart.dataset.metric, out = [], unknown = [];
    for (const run of data.runs) {
      if (state.hidden.has(run.id)) continue;
      const own = data.curves[run.id] || {}, at = clock(run), color = "c" + run.color, name = data.runs.length > 1 ? run.label : "";
      const add = (curve, kind, more) => curve && curve.n && out.push({x: curve.x.map(at), y: curve.y, low: curve.lo, high: curve.hi, kind, color, dash: run.dash, label: name, ...more});
      if (!at) { if (own[metric] || own["eval/return"]) unknown.push(run.label); continue; }
      const curve = own[metric];
      if (curve && curve.n) {
        const window = windowOf(curve, main);
        add(curve, "line", {mean: smoothed(curve, window), band: state.band && curve.n >= SMOOTH_FROM && band(curve, curve.x.map(at), span, main)});
      }
      if (main) {
        const error = own["eval/return_std"], points = own["eval/return"];
        add(points, "points", {error: error && points && error.n === points.n ? error.y : null, label: (name + " evaluation").trim()});
      }
      add(own[metric + " optimum"], "line", {mean: (own[metric + " optimum"] || {}).y, dash: true, label: (name + " optimum").trim()});
    }
    return [out, unknown];
  };

  // The interval of what is seen, with a little air; of positive width in every case.
  const extent = (lines, x, log, levels) => {
    let low = Infinity, high = -Infinity, hiddenBelow = 0;
    const see = v => { if (log && v <= 0) hiddenBelow++; else if (v === v) { low = Math.min(low, v); high = Math.max(high, v); } };
    for (const line of lines)
      for (let i = 0; i < line.x.length; i++) {
        if (line.x[i] < x.low || line.x[i] > x.high) continue;
        if (line.kind === "points") { see(line.y[i] - (line.error && !log ? line.error[i] : 0)); see(line.y[i] + (line.error ? line.error[i] : 0)); continue; }
        see(line.mean[i]);
      }
    for (const line of lines) if (line.band) [...line.band.low, ...line.band.high].forEach(see);
    if (low > high) return [log ? 0.1 : 0, 1, hiddenBelow];
    const span = high - low || Math.abs(high) || 1;
    for (const {value} of levels) if (value >= low - span && value <= high + span) see(value);
    if (log) return [low / 1.15, high * 1.15, hiddenBelow];
    if (high - low < 1e-9 * Math.max(Math.abs(low), Math.abs(high), 1e-12)) { const pad = Math.abs(high) * 0.1 || 1; return [low - pad, high + pad, 0]; }
    const pad = 0.06 * (high - low);
    return [low >= 0 && low < 0.35 * high ? 0 : low - pad, high + pad, 0];
  };
  const wantsLog = lines => {
    const values = lines.flatMap(l => l.kind === "points" ? l.y : l.low.concat(l.high)).sort((a, b) => a - b);
    if (values.length < 2 || values[0] <= 0) return false;
    return values[Math.floor(0.98 * (values.length - 1))] / values[Math.ceil(0.02 * (values.length - 1))] > 30;
  };
  return {state, data, merge, clock, windowOf, range, ticks, logTicks, label, unit, scale, linesOf, extent, wantsLog, MAIN, SMALL, AXES};
})();
