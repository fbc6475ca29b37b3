"""Agents that act without Reverie: `reverie export RUN --to stablehlo|onnx`.

port.py          what goes into an exported program and comes out of it: names, shapes, ranges
classes.py       classes and bits of the environment, inside a traced program
observed.py      the environment's observations, likewise
acted.py         the environment's actions, likewise
programs.py      the policy, and one imagined step, as functions of named arrays
stablehlo.py     such a function as StableHLO, for jax.export
nodes.py         the nodes of an ONNX graph while it is written
graph.py         such a function as an ONNX graph: walking what JAX traced
elementwise.py   the ONNX of operations on single numbers
moving.py        of those that move numbers
linear.py        of products, convolutions and reductions
write.py         the files of an export
options.py       options of the verb
"""
