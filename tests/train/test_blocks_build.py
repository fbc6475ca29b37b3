"""Every published block builds its networks for the pictures it asks for: shapes, no arithmetic."""

import jax
import pytest

from reverie.config.benchmarks import BENCHMARKS
from reverie.config.presets import resolve
from reverie.module import named_leaves
from reverie.records import Spec
from reverie.train.state import Agent

BLOCKS = [name for name, preset in BENCHMARKS.items() if preset.agent]
TASKS = {"": "gym:X-v0", "gym": "gym:X-v0"}


def shapes(name: str, agent: str) -> dict[str, tuple[int, ...]]:
    """Shapes of all parameters by name under `agent`."""
    preset = BENCHMARKS[name]
    task = TASKS.get(preset.suite, f"{preset.suite}_x")
    config = resolve(task, agent=agent, preset=name, pictures=preset.pictures is not False)
    side, channels = config.env.size, 1 if config.env.gray else 3
    picture = Spec("image", (side, side, channels))
    obs = {"position": Spec("vector", (7,))} if preset.pictures is False else {"image": picture}
    actions = {"action": Spec("discrete", (), (5,))}
    made = jax.eval_shape(lambda key: Agent(obs, actions, config, key=key), jax.random.key(0))
    return {key: leaf.shape for key, leaf in named_leaves(made).items()}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_builds_under_its_agent(name):
    assert shapes(name, BENCHMARKS[name].agent)


@pytest.mark.parametrize("agent", ["v2", "v3-2023"])
def test_the_minecraft_stack_has_five_stages(agent):
    """128 pixels to 4; the encoder of the PyTorch tree stays 64 wide, the authors' doubles."""
    kernels = [shape for shape in shapes("harmony_minecraft", agent).values() if len(shape) == 4]
    pairs = [shape[2:] for shape in kernels]
    widths = [64, 64, 64, 64, 64] if agent == "v2" else [64, 128, 256, 512, 1024]
    assert pairs[:5] == list(zip([3, *widths], widths, strict=False))
    assert pairs[5:] == [(1024, 512), (512, 256), (256, 128), (128, 64), (64, 3)]


@pytest.mark.parametrize("agent", ["v3", "v3-2023", "v2"])
@pytest.mark.parametrize("name", BLOCKS)
def test_any_agent_runs_under_the_protocol_of_a_block(name, agent):
    preset = BENCHMARKS[name]
    task = TASKS.get(preset.suite, f"{preset.suite}_x")
    config = resolve(task, agent=agent, preset=name, pictures=True)
    assert config.agent == agent
    assert config.train.batch * config.train.length <= config.replay.capacity
