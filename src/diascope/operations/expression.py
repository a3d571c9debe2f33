"""Arithmetic expressions over channels, read by a grammar of their own: nothing in them is ever executed as code.

::

    comparison = sum {("<" | "<=" | ">" | ">=" | "==" | "!=") sum}
    sum        = product {("+" | "-") product}
    product    = signed {("*" | ":" | "/" | "::" | "//" | "%") signed}
    signed     = "-" signed | "+" signed | power
    power      = atom ["**" signed]
    atom       = number | channel | function "(" comparison {(";" | ",") comparison} ")" | "(" comparison ")"

An address has no room for ``/ , =`` in a value: there ``:`` divides, ``::`` divides and rounds down, ``;`` parts
arguments, and ``eq(a;b)`` compares. The canonical spelling is made of these alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator

from diascope.operations.arithmetic import ARGUMENTS, FUNCTIONS, Values
from diascope.operations.values import Spelling, number_spelled

LONGEST = 500
"""How many characters an expression has at most."""

MOST_NODES = 100
"""How many numbers, channels and functions."""

DEEPEST = 20
"""How many parentheses, functions, signs and powers lie in one another."""

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|::|//|<=|>=|==|!=|[-+*:/%<>();,]))\s*",
    re.ASCII,
)
BINARY = {
    "<": ("lt", 1), "<=": ("le", 1), ">": ("gt", 1), ">=": ("ge", 1), "==": ("eq", 1), "!=": ("ne", 1),
    "+": ("add", 2), "-": ("sub", 2),
    "*": ("mul", 3), ":": ("div", 3), "/": ("div", 3), "::": ("floordiv", 3), "//": ("floordiv", 3), "%": ("mod", 3),
}  # fmt: skip
"""The function and the precedence of each sign between two operands."""

SIGNED, POWER, ATOM = 4, 5, 6
WRITTEN = {"add": ("+", 2), "sub": ("-", 2), "mul": ("*", 3), "div": (":", 3), "floordiv": ("::", 3)}
"""The functions that the canonical spelling writes as signs."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Named:
    """The pixels of a channel."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Number | Named | Call


@lru_cache(maxsize=1024)
def parsed(text: str) -> Node:
    """The tree of an expression; raises ValueError with what is wrong and where."""
    if len(text) > LONGEST:
        raise ValueError(f"an expression has at most {LONGEST} characters")
    parser = _Parser(tuple(_tokens(text)))
    tree = parser.binary(1)
    if parser.kind != "end":
        raise ValueError(f"{parser.text!r} does not belong there")
    if not names(tree):
        raise ValueError("it names no channel, such as c0")
    return tree


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise ValueError(f"{text[at]!r} at character {at + 1} is nothing that stands in an expression")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
    yield "end", "the end"


@dataclass(slots=True)
class _Parser:
    """Reads tokens from left to right."""

    tokens: tuple[tuple[str, str], ...]
    at: int = 0
    depth: int = 0
    nodes: list[Node] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def text(self) -> str:
        return self.tokens[self.at][1]

    def _next(self) -> str:
        text = self.text
        self.at += 1
        return text

    def _expect(self, *texts: str) -> str:
        if self.kind != "sign" or self.text not in texts:
            raise ValueError(f"{self.text!r} stands where {' or '.join(texts)} should")
        return self._next()

    def _made(self, node: Node) -> Node:
        self.nodes.append(node)
        if len(self.nodes) > MOST_NODES:
            raise ValueError(f"it has more than {MOST_NODES} parts")
        return node

    def binary(self, lowest: int) -> Node:
        left = self._signed()
        while self.kind == "sign" and self.text in BINARY and BINARY[self.text][1] >= lowest:
            function, precedence = BINARY[self._next()]
            left = self._made(Call(function, (left, self.binary(precedence + 1))))
        return left

    def _signed(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"it is more than {DEEPEST} deep")
        if self.kind == "sign" and self.text in {"-", "+"}:
            negative = self._next() == "-"
            inner = self._signed()
            node = self._made(Call("neg", (inner,))) if negative else inner
        else:
            node = self._atom()
            if self.kind == "sign" and self.text == "**":
                self._next()
                node = self._made(Call("pow", (node, self._signed())))
        self.depth -= 1
        return node

    def _atom(self) -> Node:
        kind, text = self.kind, self._next()
        if kind == "number":
            return self._made(Number(_finite(text)))
        if kind == "name" and self.kind == "sign" and self.text == "(":
            return self._made(Call(text, self._arguments(text)))
        if kind == "name":
            return self._made(Named(text))
        if text != "(" or kind != "sign":
            raise ValueError(f"{text!r} stands where a number or a channel should")
        node = self.binary(1)
        self._expect(")")
        return node

    def _arguments(self, function: str) -> tuple[Node, ...]:
        if function not in FUNCTIONS:
            raise ValueError(f"{function!r} is no function; there are: {', '.join(sorted(FUNCTIONS))}")
        self._next()
        arguments = [self.binary(1)]
        while self._expect(";", ",", ")") != ")":
            arguments.append(self.binary(1))
        least, most = ARGUMENTS[function]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise ValueError(f"{function} takes {wanted} arguments, not {len(arguments)}")
        return tuple(arguments)


def _finite(text: str) -> float:
    value = float(text)
    if value == float("inf"):
        raise ValueError(f"{text} is too large a number")
    return value


def names(node: Node) -> tuple[str, ...]:
    """The channels that are named, each once, in order."""
    if isinstance(node, Named):
        return (node.name,)
    inner = node.arguments if isinstance(node, Call) else ()
    return tuple(dict.fromkeys(name for each in inner for name in names(each)))


def written(node: Node, lowest: int = 1) -> str:
    """The canonical spelling, in parentheses where it binds less than it must."""
    if isinstance(node, Number):
        return number_spelled(node.value)
    if isinstance(node, Named):
        return node.name
    text, binds = _call_written(node)
    return text if binds >= lowest else f"({text})"


def _call_written(node: Call) -> tuple[str, int]:
    inner = node.arguments
    if node.function in WRITTEN:
        sign, binds = WRITTEN[node.function]
        return f"{written(inner[0], binds)}{sign}{written(inner[1], binds + 1)}", binds
    if node.function == "neg":
        return f"-{written(inner[0], SIGNED)}", SIGNED
    if node.function == "pow":
        return f"{written(inner[0], ATOM)}**{written(inner[1], SIGNED)}", POWER
    return f"{node.function}({';'.join(map(written, inner))})", ATOM


def evaluated(node: Node, values: Mapping[str, Values]) -> Values:
    """In double precision, by the rules of IEEE 754: a division by zero is no error."""
    if isinstance(node, Number):
        return np.float64(node.value)
    if isinstance(node, Named):
        return values[node.name]
    return FUNCTIONS[node.function](*(evaluated(each, values) for each in node.arguments))


def _expression(value: Any) -> str:
    return written(parsed(str(value)))


Expression = Annotated[str, BeforeValidator(_expression), Spelling("(c0-c1):(c0+c1)")]
