"""docs/metrics.md, written from the catalogue of metric names.

python scripts/metrics_page.py docs/metrics.md
"""

import sys
from pathlib import Path

from reverie.watch.metric_names import GROUPS

PREAMBLE = """\
# Metrics

A run writes one JSON object a line to `metrics.jsonl`: `step`, the environment steps of all
environments together, and scalars under the names below. Names in one line belong to one event:
a finished episode, an evaluation, or a log interval (means over the interval's updates unless the
meaning says otherwise). A number that is not finite is written as `null`. GB are 10^9 bytes.
Two identical runs on a CPU write identical lines, except for names under `time/` and `system/`.

This page is generated: `python scripts/metrics_page.py docs/metrics.md`.
"""


def written() -> str:
    """The page `docs/metrics.md`: one Markdown table a group."""
    blocks = [PREAMBLE]
    for title, metrics in GROUPS.items():
        rows = [f"| `{m.pattern}` | {m.unit} | {m.meaning} |" for m in metrics]
        blocks.append("\n".join([f"## {title}\n", "| name | unit | meaning |", "|---|---|---|"]))
        blocks[-1] += "\n" + "\n".join(rows) + "\n"
    return "\n".join(blocks)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written(), encoding="utf-8")
