"""Curves as SVG, drawn by hand: a picture of one kind is not worth a plotting library."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 48, 48
COLOURS = ("#0b6e99", "#c2571a", "#5b7f2b", "#7a4e9c")


def curve(
    title: str, across: str, up: str, xs: Sequence[float], shares: Mapping[str, Sequence[float]]
) -> str:
    """Shares of one, a line a contender, over `xs`."""
    top = max(max(values) for values in shares.values()) * 100 or 1.0
    right = max(xs)

    def x_of(value: float) -> float:
        return LEFT + value / right * (WIDTH - LEFT - RIGHT)

    def y_of(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 22, title),
        _text(WIDTH / 2, HEIGHT - 10, across),
        _text(8, TOP - 8, up),
        f'<path d="M{LEFT},{TOP} V{HEIGHT - BOTTOM} H{WIDTH - RIGHT}" fill="none" stroke="#555"/>',
    ]
    parts += [_text(x_of(x) - 6, HEIGHT - BOTTOM + 18, f"{x:g}") for x in xs]
    parts += [_text(20, y_of(top * step / 4) + 4, f"{top * step / 4:.3g}") for step in range(5)]
    for at, (name, values) in enumerate(shares.items()):
        colour = COLOURS[at % len(COLOURS)]
        points = " ".join(f"{x_of(x):.1f},{y_of(y * 100):.1f}" for x, y in zip(xs, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(LEFT + 12, TOP + 16 + 18 * at, name, colour))
    return "\n".join([*parts, "</svg>\n"])


def _text(x: float, y: float, text: str, colour: str = "#222") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-family="sans-serif" fill="{colour}">{escape(text)}</text>'
