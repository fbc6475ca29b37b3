"""A store of units made of plain Python lists: no pages, no tables, no running sums."""

import numpy as np
from replay_model import Model, make_rows

from reverie.replay.retention import Unit
from reverie.replay.unit import Episode, Splice


def unit_rows(t, streams):
    """Row t of every stream, with episodes of about a dozen rows, some of them abandoned."""
    rows = make_rows(t, streams)
    chance = np.random.default_rng([t, streams, 1]).random((2, streams))
    return rows | {"is_first": chance[0] < 0.04, "is_last": chance[1] < 0.06}


class UnitModel(Model):
    """The brute-force reference; `rules` decide who goes, everything else is its own."""

    def __init__(self, options, rules, *, streams, pages, length):
        super().__init__(streams, 0, length)
        self.options, self.rules, self.num = options, rules, pages
        self.crosses = isinstance(options.unit, Splice)
        self.limit = 0 if isinstance(options.unit, Episode) else options.unit.rows
        self.page = self.limit if self.crosses else options.unit.page
        self.reserve = streams * max(1, -(-self.limit // self.page))
        self.shares = [1.0]
        if len(rules) == 2:
            self.shares = [options.keep.share, 1 - options.keep.share]
        self.units, self.growing, self.next = {}, [None] * streams, 0
        self.short = self.cut = 0
        self.tiled, self.line, self.skipped = [0] * streams, [], 0
        self.scores = {}

    def add(self, rows):
        if not self.crosses:
            for stream, first in enumerate(rows["is_first"]):
                if first and self.growing[stream]:
                    self.complete(stream)
        self.turn_pages()
        super().add(rows)
        for stream, unit in enumerate(self.growing):
            unit["rows"] += 1
            unit["ret"] += float(rows["reward"][stream])
        for stream in range(len(self.rows)):
            full = self.growing[stream]["rows"] == self.limit
            ends = not self.crosses and rows["is_last"][stream]
            if ends or full:
                self.complete(stream)
        self.tile()

    def turn_pages(self):
        waiting = True
        while waiting:
            waiting = [
                s
                for s, u in enumerate(self.growing)
                if not u or u["rows"] == u["pages"] * self.page
            ]
            if waiting:
                self.turn_page(waiting[0])

    def turn_page(self, stream):
        while self.taken() == self.num:
            loads = [self.load(part) / share for part, share in enumerate(self.shares)]
            part = int(np.argmax(loads))
            if loads[part]:
                self.drop(part, self.rules[part].victim())
            else:
                self.cut += 1
                sizes = [unit["rows"] if unit else 0 for unit in self.growing]
                self.complete(int(np.argmax(sizes)))
        if not self.growing[stream]:
            first = self.inserted
            unit = {"stream": stream, "first": first, "rows": 0, "ret": 0.0, "pages": 0, "in": {-1}}
            self.units[self.next] = self.growing[stream] = unit | {"serial": self.next}
            self.units[self.next] = self.growing[stream]
            self.next += 1
        self.growing[stream]["pages"] += 1

    def complete(self, stream):
        unit, self.growing[stream] = self.growing[stream], None
        unit["pages"] = -(-unit["rows"] // self.page)
        if unit["rows"] < max(self.options.unit.minlen + 1, self.length):
            self.short += 1
            del self.units[unit["serial"]]
            return
        unit["in"] = set(range(len(self.rules)))
        for part, rule in enumerate(self.rules):
            room = self.capacity(part)
            fact = Unit(
                unit["serial"], unit["rows"], unit["ret"], lambda most: self.look(unit, most)
            )
            for serial in rule.offer(fact, load=self.load(part), capacity=room):
                self.drop(part, serial)
            while self.load(part) > room:
                self.drop(part, rule.victim())
        if unit["serial"] in self.units:
            self.judge(unit)

    def judge(self, unit):
        rows = range(unit["first"], unit["first"] + unit["rows"])
        known = [
            self.scores[unit["stream"], row] for row in rows if (unit["stream"], row) in self.scores
        ]
        for part in unit["in"] - {-1} if known else ():
            self.rules[part].rescore(unit["serial"], float(np.mean(known, dtype=np.float64)))

    def rescore(self, stream, row, score):
        touched = set()
        for s, r, value in zip(stream, row, score, strict=True):
            for serial, unit in self.units.items():
                if unit["stream"] == s and 0 <= r - unit["first"] < unit["rows"]:
                    self.scores[int(s), int(r)] = np.float32(value)
                    touched.add(serial)
        for serial in sorted(touched):
            self.judge(self.units[serial])

    def look(self, unit, most):
        picked = np.linspace(0, unit["rows"] - 1, min(most, unit["rows"])).astype(int)
        rows = [self.rows[unit["stream"]][unit["first"] + k] for k in picked]
        return {key: np.stack([row[key] for row in rows]) for key in ("obs/image", "obs/place")}

    def drop(self, part, serial):
        self.units[serial]["in"].discard(part)
        if not self.units[serial]["in"]:
            del self.units[serial]

    def capacity(self, part):
        free = self.num - max(self.reserve, sum(unit["pages"] for unit in self.growing if unit))
        rooms = [int(share * free) for share in self.shares]
        return free - sum(rooms[:-1]) if part == len(rooms) - 1 else rooms[part]

    def load(self, part):
        return sum(unit["pages"] for unit in self.units.values() if part in unit["in"])

    def taken(self):
        return sum(unit["pages"] for unit in self.units.values())

    def live(self, row, stream=None):
        raise AssertionError("ask `holds`")

    def holds(self, stream, row):
        return any(
            unit["stream"] == stream and 0 <= row - unit["first"] < unit["rows"]
            for unit in self.units.values()
        )

    def ordered(self, part=None):
        """First rows of windows, in the order of their ordinals."""
        starts = []
        for _, unit in sorted(self.units.items()):
            grows = unit["in"] == {-1}
            if grows and (not self.options.unit.ongoing or part == 1):
                continue
            if not grows and part is not None and part not in unit["in"]:
                continue
            last = unit["first"] + unit["rows"] - self.length
            starts += [(unit["stream"], row) for row in range(unit["first"], last + 1)]
        return starts

    def windows(self):
        return set(self.ordered())

    def tile(self):
        for stream, row in sorted(self.windows()):
            if row >= self.tiled[stream]:
                self.line.append((stream, row))
                self.tiled[stream] = row + self.length

    def skip(self):
        alive = [start for start in self.line if start in self.windows()]
        self.skipped += len(self.line) - len(alive)
        self.line = alive

    def write(self, ticket, values, offset):
        late, num = 0, next(iter(values.values())).shape[1]
        for b, (stream, row) in enumerate(zip(*ticket, strict=True)):
            for t in range(num):
                if not self.holds(stream, row + offset + t):
                    late += 1
                    continue
                for key, value in values.items():
                    self.rows[stream][row + offset + t][key] = value[b, t].copy()
        return late
