"""Keys of actions, as people press them."""

import re
from pathlib import Path

import pytest

import reverie.dream
from reverie.dream.action import controls
from reverie.records import Spec

SCRIPT = (Path(reverie.dream.__file__).parent / "acting.js").read_text()


def classes(*counts):
    return {"action": Spec("discrete", (len(counts),) if len(counts) > 1 else (), tuple(counts))}


@pytest.mark.parametrize(("task", "count"), [("atari_pong", 18), ("crafter_reward", 17)])
def test_every_class_of_a_suite_has_a_key(task, count):
    found = controls(classes(count), task)
    assert set(found.keys.values()) == {(0, c) for c in range(count)}
    assert found.keys["1"] == (0, 0) and found.keys["0"] == (0, 9)
    names = found.choices[0].names
    assert names[found.keys["ArrowLeft"][1]].endswith("left")


def test_classes_of_several_components_have_keys_of_their_own():
    found = controls(classes(2, 3), "custom:test")
    assert list(found.keys.items()) == [
        *(("1", (0, 0)), ("2", (0, 1))),
        *(("3", (1, 0)), ("4", (1, 1)), ("5", (1, 2))),
    ]


def test_no_key_does_two_things():
    commands = re.findall(r"^  (\w|\"[^\"]\"): \(\) =>", SCRIPT, re.M)
    assert {"a", "b", "t"} <= set(commands)
    many = controls(classes(99), "custom:test").keys
    assert len(many) == 33 and not set(many) & {name.strip('"') for name in commands}
