"""Scripts by which shells complete verbs, flags, values, tasks and presets.

All words stand in the script: a shell that completes starts no Python. After an update of Reverie
the script is written anew.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHELLS = ("bash", "zsh", "fish")

BASH = """\
# bash completion of `reverie`, written by `reverie completion bash`.
_reverie() {
  local line="${COMP_LINE:0:COMP_POINT}" words cur prev verb list=
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur="${words[${#words[@]}-1]}" prev="${words[${#words[@]}-2]}" verb="${words[1]}"
  if [[ $cur == --*=* ]]; then prev="${cur%%=*}" cur="${cur#*=}"; fi
  if ((${#words[@]} == 2)); then
@LIST@
  COMPREPLY=($(compgen -W "$list" -- "$cur"))
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then  # bash completes what follows the colon
    COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
  fi
}
complete -o default -o bashdefault -F _reverie reverie
"""

ZSH = """\
#compdef reverie
# zsh completion of `reverie`, written by `reverie completion zsh`.
_reverie() {
  local cur="${words[CURRENT]}" prev="${words[CURRENT-1]}" verb="${words[2]}" list=
  if (( CURRENT == 2 )); then
@LIST@
  if [[ -n $list ]]; then compadd -- ${(z)list}; else _files; fi
}
case $zsh_eval_context[-1] in
  loadautofunc) _reverie "$@";;
  *) compdef _reverie reverie;;
esac
"""

LIST = """\
    list=@VERBS@
  elif [[ $cur == -* ]]; then
    case "$verb" in
@FLAGS@
    esac
  else
    case "$prev" in
@VALUES@
      *) case "$verb" in
@PLACES@
      esac;;
    esac
  fi"""
"""What bash and zsh have in common: the list for a word `cur` behind `prev`, under a `verb`."""


@dataclass(frozen=True)
class Words:
    """What can be completed, by verb and by flag (with its dashes)."""

    flags: Mapping[str, Sequence[str]]  # of each verb
    places: Mapping[str, Sequence[str]]  # what a verb takes besides flags; none: files
    values: Mapping[str, Sequence[str]]  # of a flag; none: files


def script(shell: str, words: Words) -> str:
    """The script for one of `SHELLS`."""
    if shell == "fish":
        return _fish(words)
    made = {
        "@LIST@": LIST,
        "@VERBS@": shlex.quote(" ".join(words.flags)),
        "@FLAGS@": _cases(words.flags, 6),
        "@VALUES@": _cases(words.values, 6),
        "@PLACES@": _cases(words.places, 8),
    }
    text = {"bash": BASH, "zsh": ZSH}[shell]
    for place, found in made.items():
        text = text.replace(place, found)
    return text


def _cases(table: Mapping[str, Sequence[str]], indent: int) -> str:
    """Lines of a shell's `case` that set `list`."""
    lines = [
        f"{' ' * indent}{shlex.quote(name)}) list={shlex.quote(' '.join(found))};;"
        for name, found in table.items()
        if found
    ]
    return "\n".join(lines)


def _fish(words: Words) -> str:
    """Fish is told one flag at a time."""
    lines = ["# fish completion of `reverie`, written by `reverie completion fish`."]
    start = "complete -c reverie"
    lines.append(f"{start} -n __fish_use_subcommand -f -a {_quoted(words.flags)}")
    for verb, flags in words.flags.items():
        seen = f"-n '__fish_seen_subcommand_from {verb}'"
        if words.places.get(verb):
            lines.append(f"{start} {seen} -f -a {_quoted(words.places[verb])}")
        for flag in flags:
            name = flag.removeprefix("--")
            found = words.values.get(flag, ())
            lines.append(f"{start} {seen} -l {name}{f' -x -a {_quoted(found)}' if found else ''}")
    return "\n".join(lines) + "\n"


def _quoted(words: Sequence[str] | Mapping[str, object]) -> str:
    return json.dumps(" ".join(words)).replace("$", r"\$")
