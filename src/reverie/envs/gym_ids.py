"""Gymnasium ids that were written without `gym:`, or nearly so."""

import re

import gymnasium

HOMES = ("ALE/", "MiniGrid-", "BabyAI-", "MiniHack-", "NetHack", "MiniWorld-", "Vizdoom", "popgym-")
"""Beginnings of ids that packages register when they are imported."""


def meant(word: str) -> str:
    """The id of Gymnasium that `word` is, but for capitals, underscores or its version; else ''.

    A version that is not registered, and an id of a package that is not imported, are left as they
    are written: looking them up says what is wrong with them.
    """
    if word in gymnasium.registry:
        return word
    versioned = re.search(r"-v\d+$", word)
    if versioned and (word.startswith(HOMES) or not re.match(r"[a-z0-9]+_", word)):
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
