"""JAX-native environments: many copies stepped in one compiled call.

game.py       what such an environment is: pure functions and specs
rows.py       one episode in the agent's terms: keys, repeat, limits
copies.py     E episodes side by side, compiled
crew.py       the seats of a `Vector` that those copies take; one copy as an `Env`
recipe.py     from a task's name to all that; imports no JAX before it is used
spaces.py     from the suites' spaces to specs, in JAX
craftax.py  gymnax.py  navix.py  xminigrid.py  jumanji.py  pgx.py  brax.py    one suite each

The only part of this station that knows JAX; nothing of it is imported before a task asks for it.
"""
