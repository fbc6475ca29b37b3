"""The progress view and the banner."""

import dataclasses
import io
import time

import pytest
from rich.console import Console

from reverie.config.schema import Config
from reverie.optim.laprop import LaProp
from reverie.watch.banner import banner
from reverie.watch.progress import Progress
from reverie.watch.text import duration, number


class Clock:
    """Seconds that pass only when told."""

    now = 100.0

    def __call__(self):
        return self.now


def text_console(*, terminal=False):
    return Console(file=io.StringIO(), force_terminal=terminal, width=110)


def test_plain_lines_come_every_ten_seconds():
    clock, console = Clock(), text_console()
    keys = ("image", "vec")
    progress = Progress("auto", 10_000, console=console, clock=clock, observations=keys)
    progress.metrics(10, {"episode/return": 10.0, "episode/length": 10})
    progress.metrics(20, {"episode/return": 20.0})
    progress.metrics(20, {"loss/rew": 0.5, "loss/image": 40.0, "loss/vec": 2.5, "loss/total": 99.0})
    progress.metrics(20, {"eval/return": 455.0, "eval/return_std": 21.3})
    progress.metrics(20, {"time/updates_per_s": 12.34, "system/ram_gb": 1.5})
    for step in range(1, 2001):  # 20 seconds at 100 steps a second
        clock.now += 0.01
        progress.step(step)
    lines = console.file.getvalue().splitlines()
    assert len(lines) in (1, 2)
    assert lines[0].startswith("1,000/10,000  10% | return last 20, mean of 2 15, eval 455 ± 21.3")
    assert "rec 42.5" in lines[0] and "99" not in lines[0]
    assert "2 min left" in lines[0] and "GB" not in lines[0]  # the least is left out
    assert len(lines[0]) <= 100


def test_a_short_plain_line_says_everything():
    clock, console = Clock(), text_console()
    progress = Progress("plain", 10_000, console=console, clock=clock)
    progress.metrics(20, {"loss/rew": 0.5, "time/updates_per_s": 12.34, "system/ram_gb": 1.5})
    clock.now += 10.0
    progress.step(1000)
    assert "rew 0.5 | 100 steps/s, 12.3 updates/s | 2 min left | 1.5 GB host" in progress.line()


def test_no_plain_line_is_longer_than_a_hundred_characters():
    progress = Progress("plain", 10**12, console=text_console(), clock=Clock())
    progress.metrics(10**11, {f"loss/{name}": -1.234e-17 for name in ("rew", "con", "dyn")})
    progress.metrics(10**11, {"episode/return": -1.234e-17, "eval/return": -1.234e-17})
    progress.phase("evaluating with the environments of a task of a long name" * 2)
    assert len(progress.line()) <= 100 and "eval -1.23e-17" in progress.line()


def test_time_left_is_unknown_until_rows_are_learned_from():
    clock, console = Clock(), text_console()
    progress = Progress("plain", 10_000, console=console, clock=clock)
    progress.collecting()
    progress.meanwhile("compiling the update")
    clock.now += 10.0
    progress.step(1000)
    assert progress.seconds_left() is None
    assert "compiling the update" in progress.line() and "left" not in progress.line()
    progress.meanwhile("")
    progress.learning(1000)
    clock.now += 10.0
    progress.step(1010)
    assert progress.seconds_left() == pytest.approx(8990.0)
    assert "compiling" not in progress.line()


def test_live_view_redraws_at_most_four_times_a_second():
    clock, console = Clock(), text_console(terminal=True)
    draws = 0
    with Progress("live", 10_000, console=console, clock=clock, title="cartpole") as progress:
        view = progress._view

        def counting():
            nonlocal draws
            draws += 1
            return view()

        progress._live._get_renderable = counting
        for step in range(1000):  # 10 seconds
            clock.now += 0.01
            progress.step(step)
    assert 30 <= draws <= 40 + 3  # closing draws, too
    shown = console.file.getvalue()
    assert "cartpole" in shown and "/ 10,000 steps" in shown


def test_none_shows_only_notes():
    console = text_console()
    with Progress("none", 10, console=console) as progress:
        progress.metrics(10, {"episode/return": 1.0})
        progress.step(10)
        progress.phase("compiling")
        assert console.file.getvalue() == ""
        progress.note("TensorBoard failed.")
    assert console.file.getvalue() == "TensorBoard failed.\n"


def test_a_step_costs_next_to_nothing():
    progress = Progress("plain", 10**9, console=text_console())
    begin = time.perf_counter()
    for step in range(20_000):
        progress.step(step)
    assert (time.perf_counter() - begin) / 20_000 < 20e-6


def test_time_left_follows_the_recent_pace():
    clock = Clock()
    progress = Progress("plain", 1000, start=500, console=text_console(), clock=clock)
    assert progress.seconds_left() is None
    clock.now += 20.0
    progress.step(600)
    assert progress.seconds_left() == pytest.approx(80.0)
    for step in range(601, 801):  # ten times slower, and the last minute counts
        clock.now += 2.0
        progress.step(step)
    assert progress.steps_per_second() == pytest.approx(0.5, rel=0.05)
    assert progress.seconds_left() == pytest.approx(400.0, rel=0.05)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.0123, "0.0123"),
        (-1.234, "-1.23"),
        (455.4, "455"),
        (12_345.0, "12.3k"),
        (2.5e7, "2.50e7"),
        (4e-5, "4.00e-5"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(42, "42 s"), (59.8, "1 min"), (430, "7 min"), (11_100, "3 h 05 min"), (187_200, "2 d 04 h")],
)
def test_durations_are_short(seconds, text):
    assert duration(seconds) == text


def test_banner_shows_the_plan_and_only_what_differs():
    console = text_console()
    config = dataclasses.replace(Config(), task="dmc_walker_walk", optim=LaProp(lr=1e-4))
    banner(config, [("parameters", "12,345,678"), ("host memory", "3.2 GB")], console=console)
    shown = console.file.getvalue()
    assert "dmc_walker_walk" in shown and "12,345,678" in shown and "3.2 GB" in shown
    assert "--optim.… lr 0.0001" in " ".join(shown.split())
    assert "warmup" not in shown and "dynamics" not in shown
