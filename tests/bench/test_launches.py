"""Counting launches: the text of a compiled program, what is refused, and counts that may fall."""

import json

import pytest

from reverie.bench import launches
from reverie.bench.gpus import GPUS, described, least_seconds
from reverie.bench.kernels import Loop, bytes_of, count_launches, instruction
from reverie.bench.options import LaunchOptions
from reverie.cli import main
from reverie.part.errors import ConfigError

# As XLA writes it, cut down: an outer loop of 3 turns around an inner one of 64, whose body stores
# one row of a stack, a branch, a call, and two instructions for which nothing is launched.
PROGRAM = """\
HloModule jit_step, is_scheduled=true, entry_computation_layout={(f32[8]{0})->f32[8]{0}}

%fused_computation (param_0: f32[8]) -> f32[8] {
  %param_0 = f32[8]{0} parameter(0)
  ROOT %negate.1 = f32[8]{0} negate(%param_0)
}

%inner_body (arg: (s32[], f32[8], f32[64,8])) -> (s32[], f32[8], f32[64,8]) {
  %arg = (s32[], f32[8]{0}, f32[64,8]{1,0}) parameter(0)
  %state = f32[8]{0} get-tuple-element(%arg), index=1
  %stack = f32[64,8]{1,0} get-tuple-element(%arg), index=2
  %loop_fusion = f32[8]{0} fusion(%state), kind=kLoop, calls=%fused_computation
  %store = f32[64,8]{1,0} fusion(%stack, %loop_fusion), kind=kLoop, calls=%fused_computation
  ROOT %tuple.1 = (s32[], f32[8]{0}, f32[64,8]{1,0}) tuple(%arg, %loop_fusion, %store)
}

%inner_condition (arg.1: (s32[], f32[8], f32[64,8])) -> pred[] {
  %arg.1 = (s32[], f32[8]{0}, /*index=2*/f32[64,8]{1,0}) parameter(0)
  ROOT %compare.1 = pred[] fusion(%arg.1), kind=kLoop, calls=%fused_computation
}

%outer_body (arg.2: (s32[])) -> (s32[]) {
  %arg.2 = (s32[]) parameter(0)
  %inner = (s32[], f32[8]{0}, f32[64,8]{1,0}) while(%arg.2), condition=%inner_condition, \
body=%inner_body, backend_config={"known_trip_count":{"n":"64"},"known_init_step":{"init":"0"}}
  %gemm = (f32[8]{0}, s8[4194304]{0}) custom-call(%inner), custom_call_target="__cublas$gemm"
  ROOT %tuple.2 = (s32[]) tuple(%gemm)
}

%outer_condition (arg.3: (s32[])) -> pred[] {
  ROOT %arg.3 = pred[] parameter(0)
}

%long_arm (arg.4: f32[8]) -> f32[8] {
  %arg.4 = f32[8]{0} parameter(0)
  %copy.1 = f32[8]{0} copy(%arg.4)
  ROOT %copy.2 = f32[8]{0} copy(%copy.1)
}

%short_arm (arg.5: f32[8]) -> f32[8] {
  ROOT %copy.3 = f32[8]{0} copy(%arg.5)
}

ENTRY %main.1 (param: f32[8]) -> f32[8] {
  %param = f32[8]{0} parameter(0)
  %flag = s32[] constant(1)
  %softmax = f32[8]{0} fusion(%param), kind=kCustom, calls=%fused_computation, \
backend_config={"fusion_backend_config":{"kind":"__triton"}}
  %outer = (s32[]) while(%softmax), condition=%outer_condition, body=%outer_body, \
backend_config={"known_trip_count":{"n":"3"}}
  %branch = f32[8]{0} conditional(%flag, %softmax, %softmax), \
branch_computations={%long_arm, %short_arm}
  ROOT %called = f32[8]{0} call(%branch), to_apply=%short_arm
}
"""


def test_loops_count_by_their_turns_and_branches_by_their_longest_arm():
    found = count_launches(PROGRAM)
    each = 64 * (2 + 1) + 1
    assert found.total == 1 + 3 * each + 2 + 1
    assert found.loops == (Loop("outer", 3, each), Loop("inner", 64, 3))
    assert found.kinds == {
        "fusion kLoop": 3 * 64 * 3,
        "copy": 2 + 1,
        "custom-call __cublas$gemm": 3,
        "fusion __triton": 1,
    }
    assert sum(found.kinds.values()) == found.total


def test_a_loop_of_unknown_length_counts_once():
    text = PROGRAM.replace('"known_trip_count":{"n":"64"},', "")
    assert Loop("inner", 1, 3) in count_launches(text).loops


# A start with its end, a gathering start whose result holds its operand, and one inside a wrapper.
SPREAD = """\
%wrapped (p: f32[64]) -> f32[8] {
  %p = f32[64]{0} parameter(0)
  ROOT %scatter = f32[8]{0} reduce-scatter(%p), dimensions={0}, to_apply=%sum
}

ENTRY %main.2 (param: f32[8], other: f32[16]) -> f32[8] {
  %param = f32[8]{0} parameter(0)
  %other = f32[16]{0} parameter(1)
  %reduce = (f32[8]{0}, f32[16]{0}) all-reduce-start(%param, %other), to_apply=%sum
  %reduced = (f32[8]{0}, f32[16]{0}) all-reduce-done(%reduce)
  %gather = (f32[8]{0}, f32[64]{0}) all-gather-start(%param), dimensions={0}
  %gathered = f32[64]{0} all-gather-done(%gather)
  %start = ((f32[64]{0}), f32[8]{0}, u32[]) async-start(%gathered), calls=%wrapped
  %done = f32[8]{0} async-done(%start)
  ROOT %moved = f32[8]{0} collective-permute(%done), source_target_pairs={{0,1},{1,0}}
}
"""


def test_what_devices_exchange_is_counted():
    found = count_launches(SPREAD)
    assert found.total == 4
    assert found.collectives == {
        "all-reduce": (1, 4 * (8 + 16)),
        "all-gather": (1, 4 * 64),
        "reduce-scatter": (1, 4 * 64),
        "collective-permute": (1, 4 * 8),
    }
    assert count_launches(PROGRAM).collectives == {}
    looped = PROGRAM.replace("= f32[8]{0} fusion(%state)", "= f32[8]{0} all-reduce(%state)")
    assert count_launches(looped).collectives == {"all-reduce": (3 * 64, 3 * 64 * 32)}


def test_a_step_touches_one_row_of_a_stack():
    arm = PROGRAM.replace("%stack, %loop_fusion", "%loop_fusion")
    assert count_launches(PROGRAM).nbytes - count_launches(arm).nbytes == 3 * 64 * 8 * 4
    assert bytes_of("f32[64,8]{1,0}", 64) == bytes_of("f32[8]") == 32
    assert bytes_of("(bf16[3,5]{1,0}, pred[], u8[7], s4[3], token[])") == 30 + 1 + 7 + 2


@pytest.mark.parametrize(
    ("text", "opcode"),
    [
        ("(s32[], /*index=1*/f32[2]{0}) while(%x), body=%b", "while"),
        ("bf16[8,16]{1,0:T(8,128)} fusion(%a, %b), kind=kInput", "fusion"),
        ("f32[] constant(1)", "constant"),
        ("((f32[2]{0}), f32[2]{0}, u32[]) async-start(%x), calls=%c", "async-start"),
    ],
)
def test_instructions_are_taken_apart(text, opcode):
    assert instruction("name", text).opcode == opcode


def test_what_is_no_program_is_refused():
    with pytest.raises(ValueError, match="no entry computation"):
        count_launches("HloModule nothing")


def test_a_missing_compiler_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(launches, "PLUGINS", ("no_such_plugin",))
    assert main(["bench", "launches", "--size", "debug"]) == 2
    said = capsys.readouterr().err
    assert "needs XLA's compiler" in said and "pip install 'reverie[cuda]'" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": ("2m",)}, "there is no size '2m'"),
        ({"seeds": 0}, "--seeds must be at least 1, found 0"),
        ({"obs": ()}, "--obs takes different values"),
        ({"set": ("train.batch",)}, "--set takes KEY=VALUE"),
        ({"set": ("device.scan=stored",)}, "--set cannot change 'device.scan'"),
        ({"mesh": "dat=2"}, "--mesh has no axis 'dat'; did you mean 'data'"),
        ({"mesh": "data=2", "seeds": 4}, "--mesh spreads one learner over devices, and --seeds 4"),
    ],
)
def test_options_are_checked(change, message):
    with pytest.raises(ConfigError, match=message):
        LaunchOptions(**change)


def test_estimates_are_those_of_the_figures():
    found = least_seconds(
        GPUS["h200"], launches=10_000, flops=989e9, nbytes=4.8e9, precision="bf16"
    )
    assert found == pytest.approx({"launches": 0.019, "arithmetic": 1e-3, "memory": 1e-3})
    assert "cuda_compute_capability { major: 8 minor: 9 }" in described(GPUS["l4"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "obs", "seeds", "most"),
    [("1m", "vector", 1, 3_650), ("12m", "image", 1, 4_250), ("1m", "vector", 8, 3_795)],
)
def test_an_update_launches_few_kernels(size, obs, seeds, most, tmp_path):
    """Compiles for an H200, which takes minutes each; needs `reverie[cuda]`, but no GPU."""
    pytest.importorskip("jax_cuda13_plugin")
    file = tmp_path / "launches.json"
    counts = launches.run(LaunchOptions((size,), (obs,), seeds=seeds, json=str(file)))
    assert counts[f"{size} {obs} bf16"].launches <= most
    assert json.loads(file.read_text())["gpu"] == "h200"
