"""The MineRL environment that the Minecraft tasks run in. Untested: it needs MineRL 0.4.4."""

from typing import Any


def make_simulator(size: int, break_speed: float) -> Any:
    """A MineRL environment (old gym) with pictures of `size` pixels, all items and life stats.

    A new world is generated for every episode, monsters spawn, and time passes. Raises
    ImportError if MineRL is missing.
    """
    from minerl.herobraine.env_spec import EnvSpec  # pyright: ignore[reportMissingImports]
    from minerl.herobraine.hero import (  # pyright: ignore[reportMissingImports]
        handlers,
        mc,
    )

    members: dict[str, Any] = {
        "create_agent_start": lambda self: [_break_speed(break_speed)],
        "create_observables": lambda self: _observables(handlers, mc, size),
        "create_actionables": lambda self: _actionables(handlers, mc),
        "create_server_world_generators": lambda self: [
            handlers.DefaultWorldGenerator(force_reset=True)
        ],
        "create_server_quit_producers": lambda self: [handlers.ServerQuitWhenAnyAgentFinishes()],
        "create_server_initial_conditions": lambda self: [
            handlers.TimeInitialCondition(allow_passage_of_time=True, start_time=0),
            handlers.SpawningInitialCondition(allow_spawning=True),
        ],
        "is_from_folder": lambda self, folder: False,
        "determine_success_from_rewards": lambda self, rewards: True,
        "get_docstring": lambda self: "",
    }
    empty = ("agent_handlers", "rewardables", "server_decorators", "mission_handlers", "monitors")
    members |= {f"create_{name}": lambda self: [] for name in empty}
    spec: Any = type("ReverieMinecraft", (EnvSpec,), members)
    return spec(name="ReverieMinecraft-v0").make()


def _break_speed(multiplier: float) -> Any:
    """How much faster than in the game blocks break, as a handler."""
    from minerl.herobraine.hero import handler  # pyright: ignore[reportMissingImports]

    class BreakSpeed(handler.Handler):
        def to_string(self) -> str:
            """Name of the handler."""
            return f"break_speed({multiplier})"

        def xml_template(self) -> str:
            """What the mission file says."""
            return "<BreakSpeedMultiplier>{{multiplier}}</BreakSpeedMultiplier>"

    made: Any = BreakSpeed()
    made.multiplier = multiplier  # read by the template
    return made


def _observables(handlers: Any, mc: Any, size: int) -> list[Any]:
    return [
        handlers.POVObservation((size, size)),
        handlers.FlatInventoryObservation(mc.ALL_ITEMS),
        handlers.EquippedItemObservation(mc.ALL_ITEMS, _default="air", _other="other"),
        handlers.ObservationFromCurrentLocation(),
        handlers.ObservationFromLifeStats(),
    ]


def _actionables(handlers: Any, mc: Any) -> list[Any]:
    keys = ("forward", "back", "left", "right", "jump", "sneak", "attack")
    items, none = ["none", *mc.ALL_ITEMS], {"_other": "none", "_default": "none"}
    kinds = ("PlaceBlock", "EquipAction", "CraftAction", "CraftNearbyAction", "SmeltItemNearby")
    return [
        *(handlers.KeybasedCommandAction(key, mc.INVERSE_KEYMAP[key]) for key in keys),
        handlers.CameraAction(),
        *(getattr(handlers, kind)(items, **none) for kind in kinds),
    ]
