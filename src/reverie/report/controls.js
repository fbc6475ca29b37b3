// What one can choose: axes, smoothing, which runs are shown, the order of a table, the step of a film.
const controls = (() => {
  const {state, data} = curves, form = document.querySelector(".controls"), orders = {};
  const say = () => {
    const said = [], lost = data.runs.filter(run => !curves.clock(run)).map(run => run.label);
    if (lost.length) said.push(`not shown by ${curves.AXES[state.x]}: ${lost.slice(0, 4).join(", ")}${lost.length > 4 ? ` and ${lost.length - 4} more` : ""}, which logged none`);
    if (state.hidden.size) said.push(`${state.hidden.size} of ${data.runs.length} runs hidden`);
    form.querySelector(".said").textContent = said.join("; ");
    form.elements.whole.disabled = !state.zoom;
    const words = document.getElementById("smoothed");
    if (words) {
      const sizes = data.runs.map(run => (data.curves[run.id] || {})["episode/return"]).filter(c => c && c.n).map(c => curves.windowOf(c, true)).sort((a, b) => a - b);
      const many = sizes.length && sizes.at(-1) > 1;
      words.textContent = many ? `mean of the last ${[...new Set([sizes[0], sizes.at(-1)])].join("–")} training episodes` : "training episodes";
    }
  };
  const redraw = () => { say(); paper.all(); };

  form.addEventListener("input", event => {
    const {name, value, checked, type} = event.target, axis = name === "x" || name === "logx";
    state[name] = type === "checkbox" ? checked : value;
    if (axis) state.zoom = null;
    redraw();
  });
  form.addEventListener("submit", event => event.preventDefault());
  form.elements.whole.addEventListener("click", () => paper.zoom(null));
  document.addEventListener("zoomed", say);

  const sort = table => {
    const order = orders[table.id];
    if (!order) return;
    const body = table.tBodies[0], key = row => row.cells[order.column].dataset.value, number = v => v !== "" && !isNaN(v);
    const rows = [...body.rows].sort((p, q) => {
      const a = key(p), b = key(q);
      if (a === "" || b === "") return (a === "") - (b === "");
      return order.sign * (number(a) && number(b) ? a - b : a.localeCompare(b, "en", {numeric: true}));
    });
    body.append(...rows);
    [...table.tHead.rows[0].cells].forEach((cell, i) => cell.setAttribute("aria-sort", i !== order.column ? "none" : order.sign > 0 ? "ascending" : "descending"));
  };
  const sortable = table => {
    [...table.tHead.rows[0].cells].forEach((cell, column) => cell.querySelector("button").addEventListener("click", () => {
      const known = orders[table.id], again = known && known.column === column;
      orders[table.id] = {column, sign: again ? -known.sign : column ? -1 : 1};
      sort(table);
    }));
    sort(table);
  };
  const chosen = box => {
    const id = Number(box.dataset.run);
    box.hidden = false;
    box.checked = !state.hidden.has(id);
    box.addEventListener("change", () => { if (box.checked) state.hidden.delete(id); else state.hidden.add(id); redraw(); });
  };
  const film = label => {
    const card = label.closest(".film"), shots = JSON.parse(card.querySelector("script").textContent), newest = shots.at(-1);
    const video = card.querySelector("video.shown"), still = card.querySelector("img.shown"), early = card.querySelector("img.early");
    newest.video = video ? video.src : "";
    newest.still = still ? still.src : "";
    if (early) shots[0].still = early.src;
    label.hidden = false;
    label.querySelector("input").addEventListener("input", event => {
      const shot = shots[event.target.value];
      if (video) { video.hidden = !shot.video; if (shot.video) video.src = shot.video; else video.removeAttribute("src"); }
      if (still) { still.hidden = !shot.still; if (shot.still) still.src = shot.still; }
      card.querySelectorAll(".step").forEach(e => { e.textContent = shot.step.toLocaleString("en"); });
    });
  };
  const dress = root => {
    root.querySelectorAll("table.sortable").forEach(sortable);
    root.querySelectorAll("input[data-run]").forEach(chosen);
    root.querySelectorAll(".shots").forEach(film);
    paper.dress(root);
  };
  const told = answer => {
    curves.merge(answer);
    form.hidden = !data.runs.some(run => Object.keys(data.curves[run.id] || {}).length);
    redraw();
  };
  dress(document);
  told(JSON.parse(document.getElementById("data").textContent));
  return {dress, told};
})();
