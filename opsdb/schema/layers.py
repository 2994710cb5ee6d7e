"""Place the boxes of a directed graph in layers from left to right, so that few of its arrows cross.

The method is that of Sugiyama, Tagawa and Toda (1981): a layer for every box by the longest way, a place within the
layer near the middle of what it is joined to, and a bend in every layer that an arrow passes. Same input, same place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

SWEEPS = 24
Key = Hashable
Point = tuple[float, float]


@dataclass(frozen=True)
class Placement:
    """Where the boxes of a graph are.

    Attributes:
        corners: upper left corner of every box.
        bends: the points that an arrow passes between its two boxes, from the left to the right.
        width: of the whole.
        height: of the whole.
    """

    corners: dict[Key, Point]
    bends: dict[tuple[Key, Key], list[Point]]
    width: float
    height: float


@dataclass
class _Graph:
    sizes: dict[Key, tuple[float, float]]
    layer: dict[Key, int] = field(default_factory=dict)
    left: dict[Key, list[Key]] = field(default_factory=lambda: defaultdict(list))
    right: dict[Key, list[Key]] = field(default_factory=lambda: defaultdict(list))
    chains: dict[tuple[Key, Key], list[Key]] = field(default_factory=dict)


def place_in_layers(
    sizes: Mapping[Key, tuple[float, float]],
    arrows: Iterable[tuple[Key, Key]],
    *,
    between_layers: float,
    between_boxes: float,
    thickness: Mapping[tuple[Key, Key], float] | None = None,
) -> Placement:
    """Return where to draw the boxes.

    Args:
        sizes: width and height of each box.
        arrows: from the box at the left to the one at the right; those that close a circle are ignored for the
            layers, and so are loops.
        between_layers: least distance of boxes from left to right.
        between_boxes: least distance of boxes in a layer.
        thickness: height that an arrow needs where it passes a layer; 0 if it is not given.
    """
    graph = _Graph(dict(sizes))
    forward = _without_circles(list(sizes), dict.fromkeys(pair for pair in arrows if pair[0] != pair[1]))
    _assign_layers(graph, forward)
    _add_bends(graph, forward, thickness or {})
    layers = _ordered(graph)
    tops = _tops(graph, layers, between_boxes)
    lefts, width = _lefts(graph, layers, between_layers)
    # A bend is at the middle of its layer.
    depth = {number: max((graph.sizes[key][0] for key in layer), default=0) for number, layer in enumerate(layers)}
    bends = {
        pair: [
            point
            for key in chain
            for point in (
                (lefts[graph.layer[key]], tops[key]),
                (lefts[graph.layer[key]] + depth[graph.layer[key]], tops[key]),
            )
        ]
        for pair, chain in graph.chains.items()
    }
    corners = {key: (lefts[graph.layer[key]], tops[key]) for key in sizes}
    height = max((tops[key] + size[1] for key, size in graph.sizes.items()), default=0)
    return Placement(corners, bends, width, height)


def _without_circles(keys: list[Key], arrows: Iterable[tuple[Key, Key]]) -> list[tuple[Key, Key]]:
    """Return the arrows without those that lead back to a box on the way to themselves."""
    following: dict[Key, list[Key]] = defaultdict(list)
    for start, end in arrows:
        following[start].append(end)
    kept: list[tuple[Key, Key]] = []
    done: set[Key] = set()
    under_way: set[Key] = set()

    def visit(key: Key) -> None:
        under_way.add(key)
        for other in following[key]:
            if other in under_way:
                continue
            kept.append((key, other))
            if other not in done:
                visit(other)
        under_way.discard(key)
        done.add(key)

    for key in keys:
        if key not in done:
            visit(key)
    return kept


def _assign_layers(graph: _Graph, arrows: list[tuple[Key, Key]]) -> None:
    """Put every box right of all that lead to it, and then as far right as what it leads to lets it."""
    before: dict[Key, list[Key]] = defaultdict(list)
    after: dict[Key, list[Key]] = defaultdict(list)
    for start, end in arrows:
        before[end].append(start)
        after[start].append(end)

    def depth(key: Key) -> int:
        if key not in graph.layer:
            graph.layer[key] = max((depth(other) + 1 for other in before[key]), default=0)
        return graph.layer[key]

    for key in graph.sizes:
        depth(key)
    for key in sorted(graph.sizes, key=lambda one: -graph.layer[one]):
        if after[key]:
            graph.layer[key] = min(graph.layer[other] for other in after[key]) - 1


def _add_bends(graph: _Graph, arrows: list[tuple[Key, Key]], thickness: Mapping[tuple[Key, Key], float]) -> None:
    for start, end in arrows:
        chain: list[Key] = []
        previous = start
        for layer in range(graph.layer[start] + 1, graph.layer[end]):
            bend = ("bend", start, end, layer)
            graph.sizes[bend] = (0.0, thickness.get((start, end), 0.0))
            graph.layer[bend] = layer
            graph.right[previous].append(bend)
            graph.left[bend].append(previous)
            chain.append(bend)
            previous = bend
        graph.right[previous].append(end)
        graph.left[end].append(previous)
        graph.chains[start, end] = chain


def _ordered(graph: _Graph) -> list[list[Key]]:
    """Return the layers, each in the order in which the fewest arrows cross that were found."""
    layers: list[list[Key]] = [[] for _ in range(max(graph.layer.values(), default=-1) + 1)]
    for key, layer in graph.layer.items():
        layers[layer].append(key)
    best, fewest = [[*layer] for layer in layers], _crossings(graph, layers)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for number in range(1, len(layers)) if forward else range(len(layers) - 2, -1, -1):
            fixed = {key: place for place, key in enumerate(layers[number - 1 if forward else number + 1])}
            neighbours = graph.left if forward else graph.right
            own = {key: place for place, key in enumerate(layers[number])}

            def middle(key: Key, fixed=fixed, neighbours=neighbours, own=own) -> float:
                places = [fixed[other] for other in neighbours[key]]
                return sum(places) / len(places) if places else own[key]

            layers[number] = sorted(layers[number], key=middle)
        crossings = _crossings(graph, layers)
        if crossings < fewest:
            best, fewest = [[*layer] for layer in layers], crossings
    return best


def _crossings(graph: _Graph, layers: list[list[Key]]) -> int:
    total = 0
    for here, there in zip(layers, layers[1:], strict=False):
        places = {key: place for place, key in enumerate(there)}
        ends = [sorted(places[other] for other in graph.right[key]) for key in here]
        seen: list[int] = []
        for group in ends:
            total += sum(1 for end in group for other in seen if other > end)
            seen += group
    return total


def _tops(graph: _Graph, layers: list[list[Key]], gap: float) -> dict[Key, float]:
    """Return the upper edge of every box: as near to the middle of its neighbours as the others let it."""
    tops: dict[Key, float] = {}
    for layer in layers:
        top = 0.0
        for key in layer:
            tops[key] = top
            top += graph.sizes[key][1] + gap

    def centre(key: Key) -> float:
        return tops[key] + graph.sizes[key][1] / 2

    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for layer in layers if forward else reversed(layers):
            wanted = {}
            for key in layer:
                near = graph.left[key] if forward else graph.right[key]
                near = near or graph.left[key] or graph.right[key]
                if near:
                    wanted[key] = sum(map(centre, near)) / len(near) - graph.sizes[key][1] / 2
            _spread(graph, layer, wanted, tops, gap)
    lowest = min(tops.values(), default=0)
    return {key: top - lowest for key, top in tops.items()}


def _spread(graph: _Graph, layer: list[Key], wanted: dict[Key, float], tops: dict[Key, float], gap: float) -> None:
    """Give the boxes of a layer places in their order that are together nearest to the wanted ones."""
    blocks: list[tuple[list[Key], float, float, int]] = []  # boxes, first top, length, how many have a preferred place
    for key in layer:
        block = ([key], wanted.get(key, 0.0), graph.sizes[key][1] + gap, int(key in wanted))
        while blocks and (not blocks[-1][3] or not block[3] or blocks[-1][1] + blocks[-1][2] > block[1]):
            keys, first, length, count = blocks.pop()
            total = count + block[3]
            # The mean of the places that both prefer for the first box of the two together.
            joined = (first * count + (block[1] - length) * block[3]) / total if total else 0.0
            block = ([*keys, *block[0]], joined, length + block[2], total)
        blocks.append(block)
    for keys, first, _length, _count in blocks:
        for key in keys:
            tops[key] = first
            first += graph.sizes[key][1] + gap


def _lefts(graph: _Graph, layers: list[list[Key]], gap: float) -> tuple[list[float], float]:
    lefts, left = [], 0.0
    for layer in layers:
        lefts.append(left)
        left += max((graph.sizes[key][0] for key in layer), default=0) + gap
    return lefts, left - gap if layers else 0
