"""Suites in JAX, of which many copies step in one compiled call (`functional/`)."""

from reverie.envs import names, names_jax
from reverie.envs.suite import Suite

COMPILED = {
    "craftax": Suite(
        "reverie.envs.functional.craftax:build",
        lambda: names_jax.CRAFTAX_TASKS,
        "Craftax {}, in JAX",
        extra="craftax",
        preset="craftax",
        long=("",),
        compiled=True,
    ),
    "gymnax": Suite(
        "reverie.envs.functional.gymnax:build",
        names_jax.gymnax_ids,
        "gymnax: {}, in JAX",
        extra="gymnax",
        preset="compiled",
        long=("pong_misc",),  # a screen of 30x30 pixels, four in a row
        compiled=True,
    ),
    "navix": Suite(
        "reverie.envs.functional.navix:build",
        lambda: names_jax.NAVIX_TASKS,
        "navix: {}, a grid world in JAX",
        extra="navix",
        preset="compiled",
        board=True,
        long=names.LONG_ROOMS,
        compiled=True,
        open=True,
    ),
    "xminigrid": Suite(
        "reverie.envs.functional.xminigrid:build",
        names_jax.xminigrid_ids,
        "XLand-MiniGrid: {}, in JAX",
        extra="xminigrid",
        preset="compiled",
        board=True,
        long=("xland", *names.LONG_ROOMS),
        compiled=True,
    ),
    "jumanji": Suite(
        "reverie.envs.functional.jumanji:build",
        names_jax.jumanji_ids,
        "Jumanji: {}, in JAX",
        extra="jumanji",
        preset="compiled",
        long=("",),  # puzzles
        compiled=True,
    ),
    "pgx": Suite(
        "reverie.envs.functional.pgx:build",
        names_jax.pgx_ids,
        "pgx: {}, in JAX, others move at random",
        extra="pgx",
        preset="compiled",
        long=("",),  # games against an opponent
        compiled=True,
    ),
    "brax": Suite(
        "reverie.envs.functional.brax:build",
        lambda: names_jax.BRAX_TASKS,
        "Brax: {}, in JAX",
        extra="brax",
        preset="brax",
        long=("",),
        compiled=True,
    ),
    "playground": Suite(
        "reverie.envs.functional.brax:build_playground",
        names_jax.playground_ids,
        "MuJoCo Playground: {}, in JAX",
        extra="playground",
        preset="brax",
        long=("",),
        compiled=True,
    ),
}
