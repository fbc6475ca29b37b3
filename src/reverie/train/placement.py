"""Where the arrays of a learner lie: on one device, or spread over a mesh (`device.mesh`).

The update is one function of whole arrays. Here is said how they are shared out, by their shapes
alone, and XLA's partitioner does the rest: batches over the axis `data`, large weights with their
moments over `model`, everything else on every device. Random numbers do not depend on it.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from reverie.config.run import DeviceConfig
from reverie.machine.mesh import make_mesh

LARGE = 2**16
"""Numbers of a weight from which on it is shared out over `model`: splitting a small one saves
next to no memory, and costs a message each time that it is used."""


class OneDevice:
    """Everything lies on JAX's first device."""

    def jit(self, step: Any, state: Any) -> Any:
        """The compiled update `step` (state, rows, root, numbers) -> (state, acting, result)."""
        return jax.jit(step, donate_argnums=0)

    def spread(self, state: Any) -> Any:
        """A train state, where the update takes it."""
        return state

    def batch(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """Rows of a batch (B, …), where the update takes them."""
        return dict(rows)

    def everywhere(self, tree: Any) -> Any:
        """Numbers and keys that every device needs."""
        return tree

    def whole(self, tree: Any) -> Any:
        """Arrays of the learner on one device, for programs that nothing is spread in."""
        return tree

    def host(self, tree: Any) -> Any:
        """Arrays that the update gave, as numpy arrays; of a batch the rows of this process."""
        return jax.tree.map(np.asarray, tree)


class Spread:
    """Everything lies on a mesh."""

    def __init__(self, mesh: Mesh):
        self.mesh = mesh
        self._everywhere = NamedSharding(mesh, PartitionSpec())
        self._batch = NamedSharding(mesh, PartitionSpec("data"))

    def jit(self, step: Any, state: Any) -> Any:
        """As `OneDevice.jit`; `state`: arrays or shapes."""
        states = jax.tree.map(self._of_weight, state)
        given = (states, self._batch, self._everywhere, self._everywhere)

        def spread_step(*arguments: Any) -> Any:
            with jax.sharding.use_abstract_mesh(self.mesh.abstract_mesh):
                state, acting, result = step(*arguments)
            at = jax.lax.with_sharding_constraint
            metrics = at(result.metrics, self._everywhere)
            written = at(result.written, self._batch)
            return state, acting, result._replace(metrics=metrics, written=written)

        made = (states, self._everywhere, None)
        return jax.jit(spread_step, donate_argnums=0, in_shardings=given, out_shardings=made)

    def spread(self, state: Any) -> Any:
        """As `OneDevice.spread`."""
        return jax.tree.map(lambda x: _put(x, self._of_weight(x)), state)

    def batch(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """As `OneDevice.batch`."""
        put = jax.make_array_from_process_local_data
        return {name: put(self._batch, np.asarray(column)) for name, column in rows.items()}

    def everywhere(self, tree: Any) -> Any:
        """As `OneDevice.everywhere`."""

        def put(x: Any) -> Any:
            if not jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
                return _put(x, self._everywhere)
            data = _put(jax.random.key_data(x), self._everywhere)
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(x))

        return jax.tree.map(put, tree)

    def whole(self, tree: Any) -> Any:
        """As `OneDevice.whole`; nothing is copied where the first device has all of it."""
        device = self.mesh.local_devices[0]

        def on_one(array: Any) -> Any:
            if isinstance(array, jax.Array) and array.is_fully_replicated:
                return array.addressable_data(0)
            return jax.device_put(_here(array), device)

        return jax.tree.map(on_one, tree)

    def host(self, tree: Any) -> Any:
        """As `OneDevice.host`."""
        return jax.tree.map(_here, tree)

    def _of_weight(self, array: Any) -> NamedSharding:
        """Over `model` along the longest axis that can be shared out evenly, of equal ones the
        last; small arrays and those without such an axis lie on every device."""
        parts, shape = self.mesh.shape["model"], array.shape
        even = [axis for axis, size in enumerate(shape) if size % parts == 0]
        if parts == 1 or np.prod(shape) < LARGE or not even:
            return self._everywhere
        chosen = max(even, key=lambda axis: (shape[axis], axis))
        return NamedSharding(self.mesh, PartitionSpec(*[None] * chosen, "model"))


def _put(array: Any, sharding: NamedSharding) -> Any:
    if isinstance(array, jax.Array) and array.sharding == sharding:
        return array
    whole = np.asarray(array)
    return jax.make_array_from_callback(whole.shape, sharding, lambda index: whole[index])


def _here(array: Any) -> np.ndarray:
    """All of an array that this process has: of a batch its own rows, of a weight everything."""
    if not isinstance(array, jax.Array) or array.is_fully_addressable or array.is_fully_replicated:
        return np.asarray(array)
    pieces = {shard.index[0].start or 0: shard for shard in array.addressable_shards}
    first = min(pieces)
    rows = max(start + shard.data.shape[0] for start, shard in pieces.items()) - first
    whole = np.empty((rows, *array.shape[1:]), array.dtype)
    for shard in array.addressable_shards:
        start = (shard.index[0].start or 0) - first
        whole[start : start + shard.data.shape[0], *shard.index[1:]] = np.asarray(shard.data)
    return whole


Placement = OneDevice | Spread


def placement_of(device: DeviceConfig) -> Placement:
    """Where `device` wants a learner. Raises ConfigError as `make_mesh` does."""
    shape = device.mesh_shape
    return OneDevice() if shape is None else Spread(make_mesh(shape))
