"""Trials as tasks of a real Ray cluster on this machine."""

import threading

import pytest
from sweep_parts import RUNNER, begin, child_of, kill, numbers, plan, wait_for

from reverie.sweeps import control, file
from reverie.sweeps.file import How

ray = pytest.importorskip("ray")


@pytest.mark.slow
def test_four_trials_one_of_them_killed(tmp_path):
    from reverie.sweeps.ray import Ray

    asked, folder = plan("slow", seeds=4, steps=100), tmp_path / "ray"
    begin(tmp_path / "whole", asked, jobs=4)

    def shoot():
        wait_for(lambda: numbers(folder))
        kill(child_of(folder, next(iter(numbers(folder)))))

    thread = threading.Thread(target=shoot)
    thread.start()
    found = control.begin(
        folder, asked, How("ray"), lambda sweep: Ray(sweep.folder, None, runner=RUNNER), len
    )
    thread.join()
    assert found.count("finished") == 4
    assert sorted(r.failures for r in found.trials.values()) == [0, 0, 0, 1]
    assert numbers(folder) == numbers(tmp_path / "whole")
    assert file.read(folder).how.backend == "ray"
