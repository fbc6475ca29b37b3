// Asks the server what is new, while somebody looks.
(() => {
  const token = new URLSearchParams(location.search).get("token") || "", PAUSE = 2000, state = document.getElementById("state");
  let epoch = "", since = 0, timer = 0, asking = false, told = {};
  // Metrics of the sections that are open inside the agent, and the version at which each was told.
  const opened = () => Object.fromEntries([...document.querySelectorAll("details.inside[open] .curve")].map(({dataset: {metric}}) => [metric, told[metric] || 0]));
  const replace = (name, html) => {
    const block = document.getElementById("block-" + name), key = d => d.querySelector("summary").textContent;
    const open = new Set([...block.querySelectorAll("details[open]")].map(key));
    block.innerHTML = html;
    block.querySelectorAll("details").forEach(d => { d.open = open.has(key(d)); });
    page.dress(block);
    controls.dress(block);
  };
  const ask = async () => {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    const metrics = opened();
    let pause = PAUSE;
    try {
      const answer = await fetch("/api/refresh", {method: "POST", headers: {"Content-Type": "application/json", "X-Reverie-Token": token}, body: JSON.stringify({epoch, since, opened: metrics})});
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      if (found.epoch !== epoch) { told = {}; for (const id in curves.data.curves) delete curves.data.curves[id]; }
      ({epoch, version: since} = found);
      for (const metric in metrics) told[metric] = since;
      for (const [name, html] of Object.entries(found.blocks)) replace(name, html);
      controls.told(found);
      const title = document.querySelector("h1");
      if (title) document.title = title.textContent + " · Reverie";
      state.textContent = found.behind ? `Reading metrics: ${(found.behind / 1e6).toFixed(1)} MB to go …` : `Up to date at ${new Date().toLocaleTimeString()}; looks again every ${PAUSE / 1000} seconds.`;
      if (found.behind) pause = 100;
      if (unknown()) pause = 0;
    } catch (error) {
      state.textContent = error instanceof TypeError ? "The server does not answer: it has ended, or cannot be reached. Trying again …" : error.message;
    }
    asking = false;
    timer = setTimeout(() => { if (!document.hidden) ask(); }, pause);
  };
  const unknown = () => Object.values(opened()).includes(0);
  document.addEventListener("toggle", () => { if (unknown()) ask(); }, true);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  ask();
})();
