"""A run folder that looks like a real one, made without running anything."""

import base64
import json
import math
from pathlib import Path

import numpy as np

from reverie.config import edit
from reverie.config.presets import resolve
from reverie.watch import video


def metric_lines(steps, seed, ceiling):
    """Lines of a run of `steps` environment steps that learns to about `ceiling`."""
    draw = np.random.default_rng(seed)
    step = 0
    while step < steps:
        skill = 1 / (1 + math.exp(-(step / steps * 10 - 3.5)))
        length = max(8, int(ceiling * (0.05 + 0.92 * skill) * draw.uniform(0.55, 1.05)))
        step += length
        yield {"step": step, "episode/return": float(length), "episode/length": length}
        yield {"step": step} | interval(step, steps, draw)


def interval(step, steps, draw):
    """One log interval's means."""
    share = step / steps
    noise = lambda scale: float(draw.normal(0, scale))  # noqa: E731
    return {
        "loss/image": 2500 * math.exp(-6 * share) + 30 + abs(noise(4)),
        "loss/rew": 5.54 * math.exp(-9 * share) + 0.1 + abs(noise(0.02)),
        "loss/con": 0.3 * math.exp(-5 * share) + 0.02,
        "loss/dyn": 1 + 8 * math.exp(-6 * share) + abs(noise(0.1)),
        "loss/rep": 1 + 8 * math.exp(-6 * share) + abs(noise(0.1)),
        "loss/policy": noise(0.02),
        "loss/value": 3 * math.exp(-3 * share) + 0.8 + abs(noise(0.05)),
        "loss/repval": 6 * math.exp(-3 * share) + 1.2,
        "train/ret": share + noise(0.03),
        "train/adv_mag": 0.4 * math.exp(-share) + abs(noise(0.02)),
        "train/ent/action": 0.69 * (1 - 0.6 * share) + noise(0.01),
        "train/rand/action": 1 - 0.6 * share,
        "train/updates": step // 4,
        "train/grad_norm": 50 * math.exp(-3 * share) + abs(noise(1)),
        "train/lr": 4e-5,
        "replay/rows": step,
        "replay/dropped": 0,
        "env/restarts": 0,
        "time/seconds": step * 0.02,
        "time/steps_per_s": 50 + noise(3),
        "time/updates_per_s": 12 + noise(0.6),
        "time/act_ms": 3 + abs(noise(0.2)),
        "system/ram_gb": 1.2 + 0.6 * share,
    }


def ball(count, side, phase):
    """Frames (count, side, side, 3) of a ball that bounces over a floor."""
    y, x = np.mgrid[:side, :side]
    frames = []
    for t in range(count):
        cx = side * (0.5 + 0.4 * math.sin(0.23 * t + phase))
        cy = side * (0.75 - 0.5 * abs(math.sin(0.31 * t + phase)))
        near = np.clip(side / 9 - np.hypot(x - cx, y - cy), 0, 1)[..., None]
        sky = np.stack([40 + y, 60 + y, 120 + y // 2], -1)
        sky[int(side * 0.85) :] = (70, 60, 50)
        frames.append(sky * (1 - near) + near * np.array([255, 190, 60]))
    return np.stack(frames).clip(0, 255).astype(np.uint8)


def write_lines(folder, rows):
    """These rows are the run's metrics."""
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def bare_run(folder, rows=(), **config):
    """Fill `folder` with metrics, if there are any, and a configuration of these fields alone."""
    folder.mkdir(parents=True)
    head = {"config": {"task": "gym:X-v0", **config}, "versions": {}, "command": ""}
    (folder / "config.json").write_text(json.dumps(head))
    if rows:
        write_lines(folder, rows)
    return folder


def numbers(text):
    """What a page is told of a curve, unpacked."""
    return np.frombuffer(base64.b64decode(text[2:]), {"f": "<f4", "d": "<f8"}[text[0]])


def make_run(
    folder: Path, *, steps=30_000, seed=0, ceiling=400, evaluations=5, media=True, edits=None
):
    """Fill `folder` as a run would."""
    folder.mkdir(parents=True)
    task = "gym:CartPole-v1"
    if edits and "task" in edits:
        edits = {**edits}
        task = edits.pop("task")
    config = resolve(task, size="1m", overrides={"seed": seed, "steps": steps, **(edits or {})})
    head = {
        "config": edit.to_json(config),
        "versions": {"reverie": "0.1.0", "python": "3.12.3", "jax": "0.11.2"},
        "command": f"reverie train gym:CartPole-v1 --size 1m --steps {steps} --seed {seed}",
    }
    (folder / "config.json").write_text(json.dumps(head))
    rows = list(metric_lines(steps, seed, ceiling))
    for k in range(evaluations):
        step = int(steps * (k + 1) / evaluations)
        mean = ceiling / (1 + math.exp(-(step / steps * 10 - 3.5)))
        rows.append({"step": step, "eval/return": mean, "eval/return_std": 60 / (k + 1)})
        rows[-1] |= {"eval/length": mean, "eval/episodes": 20}
    rows.sort(key=lambda row: row["step"])
    write_lines(folder, rows)
    if media:
        make_media(folder, steps)
    return folder


def make_media(folder, steps):
    """Dreams early and late, an evaluation episode, and a dream of three numbers."""
    for step, blur in ((steps // 10, 9), (steps, 2)):
        truth = np.stack([ball(32, 64, phase) for phase in range(6)])
        shift = np.where(np.arange(32) < 16, 0, np.arange(32) - 16) // blur
        late = np.stack([np.roll(s, 2, axis=2) for s in truth])
        dream = np.where((shift > 0)[None, :, None, None, None], late, truth)
        dream = (dream.astype(int) * (10 - blur) + 110 * blur) // 10
        dream = dream.astype(np.uint8)
        path = video.media_path(folder, "openloop/image", step, "mp4")
        video.save_video(path, video.open_loop_grid(truth, dream, 16), 8)
        video.save_picture(path.with_suffix(".png"), video.dream_strip(truth, dream, 16))
    episode = ball(90, 64, 0.3)
    path = video.media_path(folder, "eval", steps, "mp4")
    video.save_video(path, episode, 20)
    video.save_picture(path.with_suffix(".png"), video.film_strip(episode))
    t = np.arange(32)[:, None]
    truth = np.sin(t * np.array([0.2, 0.35, 0.5]))
    drift = np.clip(t - 15, 0, None) * np.array([0.004, 0.01, 0.02])
    curves = video.Curves(truth, truth + drift, 16, ("position", "velocity", "angle"))
    video.save_curves(video.media_path(folder, "openloop", steps, "npz"), curves)
