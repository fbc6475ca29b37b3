"use strict";
// The page of `reverie dream`. It computes nothing of its own: every number comes from the server
// (or, in an exported page, from the session that is packed into it). Texts are set, never parsed.

const $ = (id) => document.getElementById(id);
const NS = "http://www.w3.org/2000/svg";
const CURVES = { reward: "Reward", cont: "Continue", value: "Value", entropy: "Entropy", disagreement: "Disagreement", kl: "KL" };
const S = { session: "", facts: null, episode: null, rows: new Map(), branches: new Map(), lane: null, at: 0,
  playing: false, flip: false, key: "", everyNumber: false, done: null, frozen: null, waiting: 0, queue: Promise.resolve(), studies: {} };
window.reverie = S;

// ---- asking -----------------------------------------------------------------------------------

const token = new URLSearchParams(location.search).get("token") || "";

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body: JSON.stringify({ session: S.session, ...body }),
      headers: { "Content-Type": "application/json", "X-Reverie-Token": token } });
  } catch (error) {
    throw new Error("the server does not answer: it has ended, or the connection is cut. What you see stays.");
  }
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

const ask = async (name, body) => (await post("/api/" + name, body || {})).json();

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

const COMPUTING = "Computing… (the first answer of a kind is compiled, which takes a while)";
const OTHER = "Waiting: another page of this server computes, and its answers come one after the other.";

// Says after a while that an answer takes its time, and whose it is that computes; call what comes back when it is there.
function patience() {
  let timer = setTimeout(async function look() {
    const { other } = await ask("busy").catch(() => ({ other: false }));
    if (timer === null) return;
    $("busy").textContent = other ? OTHER : COMPUTING;
    $("busy").hidden = false;
    timer = setTimeout(look, 500);
  }, 400);
  return () => { clearTimeout(timer); timer = null; $("busy").hidden = true; };
}

// One request after the other; keys that come faster than dreams are left out.
function queued(work) {
  if (S.waiting > 1) return S.queue;
  S.waiting += 1;
  let failed = false;
  S.queue = S.queue.then(async () => {
    const answered = S.frozen ? () => {} : patience();
    try {
      await work();
      trouble("");
    } catch (error) {
      failed = true;
      S.playing = false;
      trouble(error.message);
    } finally {
      answered();
      S.waiting -= 1;
      draw();
      if (!failed) complete();
    }
  });
  return S.queue;
}

// ---- where we are -----------------------------------------------------------------------------

const lane = () => (S.lane === null ? null : S.branches.get(S.lane));
const first = () => (S.frozen && !lane() ? S.frozen.rows[0].n : 0);
const last = () => (lane() ? lane().list.length - 1 : S.frozen ? S.frozen.rows.at(-1).n : S.episode ? S.episode.rows - 1 : 0);
const row = () => (lane() ? lane().list[S.at] : S.rows.get(S.at));
const color = (id) => `var(--c${(id - 1) % 6})`;
const absolute = () => (lane() ? lane().begin + S.at : S.at);

async function load(at) {
  if (S.frozen || S.rows.has(at)) return;
  for (const found of (await ask("rows", { first: at - (at % 32), count: 32 })).rows) S.rows.set(found.n, found);
}

// Fetches the row that is shown, where it is not here yet.
function complete() {
  if (S.episode && !row() && !S.frozen) queued(() => load(S.at));
}

function go(at) {
  S.at = Math.max(first(), Math.min(last(), at));
  complete();
  draw();
}

function choose(id) {
  S.lane = id;
  go(last());
}
