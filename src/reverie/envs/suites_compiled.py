"""Suites in JAX, of which many copies step in one compiled call (`functional/`)."""

from reverie.envs import names_jax
from reverie.envs.suite import Suite

COMPILED = {
    "craftax": Suite(
        "reverie.envs.functional.craftax:build",
        lambda: names_jax.CRAFTAX_TASKS,
        "Craftax {}, in JAX",
        extra="craftax",
        preset="craftax",
        compiled=True,
    ),
    "gymnax": Suite(
        "reverie.envs.functional.gymnax:build",
        names_jax.gymnax_ids,
        "gymnax: {}, in JAX",
        extra="gymnax",
        preset="compiled",
        small=True,
        compiled=True,
    ),
    "navix": Suite(
        "reverie.envs.functional.navix:build",
        lambda: names_jax.NAVIX_TASKS,
        "navix: {}, a grid world in JAX",
        extra="navix",
        preset="compiled",
        small=True,
        compiled=True,
        open=True,
    ),
    "xminigrid": Suite(
        "reverie.envs.functional.xminigrid:build",
        names_jax.xminigrid_ids,
        "XLand-MiniGrid: {}, in JAX",
        extra="xminigrid",
        preset="compiled",
        compiled=True,
    ),
    "jumanji": Suite(
        "reverie.envs.functional.jumanji:build",
        names_jax.jumanji_ids,
        "Jumanji: {}, in JAX",
        extra="jumanji",
        preset="compiled",
        compiled=True,
    ),
    "pgx": Suite(
        "reverie.envs.functional.pgx:build",
        names_jax.pgx_ids,
        "pgx: {}, in JAX, others move at random",
        extra="pgx",
        preset="compiled",
        compiled=True,
    ),
    "brax": Suite(
        "reverie.envs.functional.brax:build",
        lambda: names_jax.BRAX_TASKS,
        "Brax: {}, in JAX",
        extra="brax",
        preset="brax",
        compiled=True,
    ),
    "playground": Suite(
        "reverie.envs.functional.brax:build_playground",
        names_jax.playground_ids,
        "MuJoCo Playground: {}, in JAX",
        extra="playground",
        preset="brax",
        compiled=True,
    ),
}
