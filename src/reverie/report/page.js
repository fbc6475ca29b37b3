// Charts that were drawn on the server, and their pointer; films show their controls under it.
const page = (() => {
  const tip = document.getElementById("tip");
  const text = (tag, words) => { const e = document.createElement(tag); e.textContent = words; return e; };
  const short = v => Math.abs(v) >= 1e5 || (v && Math.abs(v) < 1e-3) ? v.toExponential(2) : String(+v.toPrecision(4));
  const nearest = (xs, x) => {
    let a = 0, b = xs.length - 1;
    while (b - a > 1) { const m = (a + b) >> 1; if (xs[m] < x) a = m; else b = m; }
    return Math.abs(xs[a] - x) <= Math.abs(xs[b] - x) ? a : b;
  };
  const film = video => {
    video.addEventListener("pointerenter", () => { video.controls = true; });
    video.addEventListener("pointerleave", () => { video.controls = false; });
  };
  const say = (head, rows, event) => {
    tip.replaceChildren(text("em", head));
    for (const [color, value, label] of rows) {
      const row = document.createElement("div"), dot = document.createElement("i");
      dot.className = color;
      row.append(dot, text("b", value), text("em", label ? "  " + label : ""));
      tip.append(row);
    }
    tip.hidden = false;
    const right = event.clientX + 18 + tip.offsetWidth > innerWidth;
    tip.style.left = scrollX + event.clientX + (right ? -tip.offsetWidth - 14 : 16) + "px";
    tip.style.top = scrollY + event.clientY - 14 - tip.offsetHeight / 2 + "px";
  };
  const hush = () => { tip.hidden = true; };
  const pointed = chart => {
    const svg = chart.querySelector("svg"), hover = svg.querySelector(".hover");
    let data;
    const draw = (tag, attributes) => {
      const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const k in attributes) e.setAttribute(k, attributes[k]);
      hover.append(e);
    };
    const clear = () => { hover.replaceChildren(); hush(); };
    svg.addEventListener("pointerleave", clear);
    svg.addEventListener("pointermove", event => {
      data ??= JSON.parse(chart.querySelector("script").textContent);
      const [low, high, start, end] = data.x;
      const box = svg.getBoundingClientRect();
      const at = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const x = low + (at - start) / (end - start) * (high - low);
      const found = data.curves.filter(c => c.x.length).map(c => [c, nearest(c.x, x)]);
      if (!found.length) return;
      const place = v => start + (v - low) / (high - low) * (end - start);
      const best = found.reduce((p, q) => Math.abs(q[0].x[q[1]] - x) < Math.abs(p[0].x[p[1]] - x) ? q : p);
      const focus = best[0].x[best[1]];
      clear();
      draw("line", {x1: place(focus), x2: place(focus), y1: data.y[0], y2: data.y[1]});
      const rows = [];
      for (const [c, i] of found) {
        if (Math.abs(place(c.x[i]) - place(focus)) > 14) continue;
        draw("circle", {cx: place(c.x[i]), cy: c.py[i], r: 3.6, class: c.color});
        const within = c.low && c.low[i] !== null ? ` [${short(c.low[i])}, ${short(c.high[i])}]` : "";
        rows.push([c.color, short(c.y[i]) + within, c.label]);
      }
      say(data.name + " " + Math.round(focus).toLocaleString("en"), rows, event);
    });
  };
  const dress = root => {
    root.querySelectorAll("video").forEach(film);
    root.querySelectorAll(".chart:not(.curve)").forEach(pointed);
  };
  dress(document);
  return {dress, say, hush, short, nearest};
})();
