"""Numbers and durations as short text; any text as what a terminal shows without obeying it."""

LONGEST = 4_000
"""Characters of one line that are shown."""


def number(value: float) -> str:
    """A number in about four characters of precision: 0.0123, 1.23, 123, 45.7k."""
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        return f"{value:.2e}".replace("e+0", "e").replace("e-0", "e-")
    if size >= 1e4:
        return f"{value / 1e3:.1f}k"
    return f"{value:.0f}" if size >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Wall time in two units: `42 s`, `7 min`, `3 h 05 min`, `2 d 04 h`."""
    minutes = round(seconds / 60)
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60:02d} h"


def visible(text: str) -> str:
    """`text` with everything a terminal would obey (escape codes, carriage returns, changes of the
    writing direction) written out as `\\x1b`, and the middle of lines of great length left out.

    Line breaks and tabs stay: clean what stands inside a line by `one_line`.
    """
    return "\n".join(map(_line, text.split("\n")))


def one_line(text: str) -> str:
    """`visible`, with line breaks and tabs written out as well."""
    return _line(text.replace("\n", "\\n").replace("\t", "\\t"))


def _line(text: str) -> str:
    if len(text) > LONGEST:
        left = len(text) - LONGEST
        text = f"{text[: LONGEST // 2]} ({left:,} characters left out) {text[-LONGEST // 2 :]}"
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode()
        for char in text
    )
