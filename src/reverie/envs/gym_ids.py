"""Gymnasium ids as texts: what a misspelt one meant, and which suite of ours an id belongs to."""

import re

import gymnasium

HOMES = {
    "ALE/": "ale_py",
    "MiniGrid-": "minigrid",
    "BabyAI-": "minigrid",
    "MiniHack-": "minihack",
    "NetHack": "nle",
    "MiniWorld-": "miniworld",
    "Vizdoom": "vizdoom.gymnasium_wrapper",
    "popgym-": "popgym",
    **dict.fromkeys(
        ("Fetch", "Hand", "AntMaze_", "PointMaze_", "AdroitHand", "FrankaKitchen-"),
        "gymnasium_robotics",
    ),
}
"""Beginnings of ids -> the module that registers them when it is imported."""

SUITES = {
    "ale_py": "atari",
    "minigrid": "minigrid",
    "minihack": "minihack",
    "nle": "nethack",
    "miniworld": "miniworld",
    "vizdoom": "vizdoom",
    "popgym": "popgym",
    "gymnasium_robotics": "robotics",
    "gymnasium.envs.mujoco": "mujoco",
}
"""Packages of environments -> our suite of the same simulator."""

OWN_EXTRAS = {
    "gymnasium.envs.classic_control": "classic",
    "gymnasium.envs.toy_text": "classic",
    "gymnasium.envs.box2d": "box2d",
    "gymnasium.envs.mujoco": "mujoco",
}
"""Gymnasium's own packages of environments -> our extra with what they need."""


def home(id: str) -> str:
    """The module that registers `id`, by how it begins; '' where that says nothing."""
    return next((HOMES[prefix] for prefix in HOMES if id.startswith(prefix)), "")


def kin(name: str) -> str:
    """Our suite of the simulator behind an id, which may be written `module:id`; '' for others.

    Nothing is imported: an id of a package that is not imported yet is known by how it begins.
    """
    module, _, id = name.rpartition(":")
    entry = gymnasium.registry.get(id)
    made_by = str(entry.entry_point) if entry is not None else module
    for place in (home(id), made_by):
        for package, suite in SUITES.items():
            if re.match(rf"{re.escape(package)}\b", place):
                return suite
    return ""


def own_extra(id: str) -> str:
    """The extra with what an id of Gymnasium's own needs; '' for ids of other packages."""
    place = str(gymnasium.registry[id].entry_point).partition(":")[0]
    return next((extra for home, extra in OWN_EXTRAS.items() if place.startswith(home)), "")


def meant(word: str) -> str:
    """The id of Gymnasium that `word` is, but for capitals, underscores or its version; else ''.

    A version that is not registered, and an id of a package that is not imported, are left as they
    are written: looking them up says what is wrong with them.
    """
    if word in gymnasium.registry:
        return word
    versioned = re.search(r"-v\d+$", word)
    if versioned and (home(word) or not re.match(r"[a-z0-9]+_", word)):
        return _registered(word) or word
    return _registered(word)


def _registered(word: str) -> str:
    """The registered id of that spelling, the newest version where `word` names none."""
    found = [id for id in gymnasium.registry if _plain(word) in (_plain(id), _plain(_stem(id)))]
    return max(found, key=_version, default="")


def _stem(id: str) -> str:
    return re.sub(r"-v\d+$", "", id)


def _version(id: str) -> int:
    found = re.search(r"-v(\d+)$", id)
    return int(found[1]) if found else -1


def _plain(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()
