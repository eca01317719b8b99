"""A pickle interpreter that builds known values and never runs what a file names."""

from __future__ import annotations

import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

# Keys are hashed by recursion; deeper tuples could exhaust the stack.
_MAX_KEY_DEPTH = 32

_LENGTH = {1: struct.Struct("<B"), 4: struct.Struct("<I"), 8: struct.Struct("<Q")}
_INT4 = struct.Struct("<i")
_INT2 = struct.Struct("<H")
_FLOAT = struct.Struct(">d")


class _Mark:
    """Stands on the stack where a group of items begins."""


_MARK = _Mark()


class Unpickler:
    """Interprets the opcodes of a pickle.

    Args:
        data: the pickle; may be followed by something else.
        find_global: returns the value for a ``module.name``, or raises.
        construct: calls such a value, ``construct(value, args)``, or raises; ``new`` tells that
            an object is to be made without its constructor.
        build: gives an object its state, or raises.
        persistent_load: returns the value for a persistent id.
        start: where the pickle begins.
        encoding: of byte strings of Python 2; ``'bytes'`` leaves them.
    """

    def __init__(
        self,
        data: bytes,
        find_global: Callable[[str, str], Any],
        construct: Callable[[Any, tuple[Any, ...], bool], Any],
        build: Callable[[Any, Any], Any],
        persistent_load: Callable[[Any], Any],
        start: int = 0,
        encoding: str = "utf-8",
    ) -> None:
        self.data = data
        self.at = start
        self.find_global = find_global
        self.construct = construct
        self.build = build
        self.persistent_load = persistent_load
        self.encoding = encoding
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def load(self) -> Any:
        """Returns the pickled value; ``at`` is then the byte behind the pickle.

        Raises:
            UnpicklingError: an opcode that is not interpreted, a truncated or a senseless pickle,
                or a value that is not allowed.
        """
        codes = _CODES
        try:
            while True:
                code = self.data[self.at]
                self.at += 1
                if code == 0x2E:  # STOP
                    return self.pop()
                action = codes.get(code)
                if action is None:
                    raise UnpicklingError(
                        f"load: unsupported operand {code} at byte {self.at - 1} of the pickle"
                    )
                action(self)
        except (IndexError, struct.error):
            raise UnpicklingError(
                f"load: the pickle is truncated or damaged (byte {self.at} of {len(self.data)})"
            ) from None
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as e:
            raise UnpicklingError(
                f"load: the pickle is damaged at byte {self.at}: {type(e).__name__}: {e}"
            ) from e

    # ---- reading -------------------------------------------------------------------------------

    def take(self, n: int) -> bytes:
        if n > len(self.data) - self.at:
            raise IndexError
        part = self.data[self.at : self.at + n]
        self.at += n
        return part

    def number(self, width: int) -> int:
        value: int = _LENGTH[width].unpack(self.take(width))[0]
        return value

    def line(self) -> str:
        end = self.data.index(b"\n", self.at)
        text = self.data[self.at : end].decode("utf-8")
        self.at = end + 1
        return text

    # ---- the stack -----------------------------------------------------------------------------

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise IndexError
        return value

    def top(self) -> Any:
        value = self.stack[-1]
        if value is _MARK:
            raise IndexError
        return value

    def pop_mark(self) -> list[Any]:
        stack = self.stack
        i = len(stack) - 1
        while stack[i] is not _MARK:
            i -= 1
            if i < 0:
                raise IndexError
        items = stack[i + 1 :]
        del stack[i:]
        return items

    def tuple_of(self, n: int) -> None:
        items = [self.pop() for _ in range(n)]
        self.push(tuple(reversed(items)))

    # ---- opcodes that need more than a line ------------------------------------------------------

    def text(self, width: int) -> None:
        self.push(self.take(self.number(width)).decode("utf-8", "surrogatepass"))

    def old_string(self, width: int) -> None:
        raw = self.take(self.number(width))
        self.push(raw if self.encoding == "bytes" else raw.decode(self.encoding))

    def long(self, width: int) -> None:
        self.push(int.from_bytes(self.take(self.number(width)), "little", signed=True))

    def append(self) -> None:
        item = self.pop()
        _only(self.top(), list, "append to").append(item)

    def extend(self) -> None:
        items = self.pop_mark()
        _only(self.top(), list, "append to").extend(items)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.into_dict([key, value])

    def set_items(self) -> None:
        self.into_dict(self.pop_mark())

    def into_dict(self, items: list[Any]) -> None:
        target = self.top()
        if type(target) not in (dict, OrderedDict, Counter):
            raise UnpicklingError(f"load: can only set items of dicts, got {type(target).__name__}")
        if len(items) % 2:
            raise IndexError
        for key, value in zip(items[::2], items[1::2], strict=True):
            check_key(key)
            target[key] = value

    def add_items(self) -> None:
        items = self.pop_mark()
        target = _only(self.top(), set, "add to")
        for item in items:
            check_key(item)
            target.add(item)

    def frozen(self) -> None:
        items = self.pop_mark()
        for item in items:
            check_key(item)
        self.push(frozenset(items))

    def dict_of(self) -> None:
        items = self.pop_mark()
        self.push({})
        self.into_dict(items)

    def look_up(self, module: str, name: str) -> None:
        if (module, name) in NAME_MAPPING:
            module, name = NAME_MAPPING[module, name]
        else:
            module = IMPORT_MAPPING.get(module, module)
        self.push(self.find_global(module, name))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise TypeError("a global's names must be text")
        self.look_up(module, name)

    def call(self, new: bool) -> None:
        args, function = self.pop(), self.pop()
        if type(args) is not tuple:
            raise TypeError("arguments must be a tuple")
        self.push(self.construct(function, args, new))

    def give_state(self) -> None:
        state = self.pop()
        self.stack[-1] = self.build(self.top(), state)

    def put(self, index: int) -> None:
        self.memo[index] = self.top()


def _only(value: Any, kind: type[Any], verb: str) -> Any:
    if type(value) is not kind:
        raise UnpicklingError(
            f"load: can only {verb} a {kind.__name__}, got {type(value).__name__}"
        )
    return value


def check_key(key: Any, depth: int = 0) -> None:
    """Checks that hashing a key does not exhaust the stack."""
    if isinstance(key, tuple | frozenset):
        if depth >= _MAX_KEY_DEPTH:
            raise UnpicklingError(f"load: a key is nested more than {_MAX_KEY_DEPTH} deep")
        for part in key:
            check_key(part, depth + 1)


def _constant(value: Any) -> Callable[[Unpickler], None]:
    return lambda u: u.stack.append(value)


_CODES: dict[int, Callable[[Unpickler], Any]] = {
    ord("("): lambda u: u.stack.append(_MARK),
    ord("0"): Unpickler.pop,
    ord("1"): Unpickler.pop_mark,
    ord("N"): _constant(None),
    0x88: _constant(True),
    0x89: _constant(False),
    ord("J"): lambda u: u.push(_INT4.unpack(u.take(4))[0]),
    ord("K"): lambda u: u.push(u.number(1)),
    ord("M"): lambda u: u.push(_INT2.unpack(u.take(2))[0]),
    0x8A: lambda u: u.long(1),
    0x8B: lambda u: u.long(4),
    ord("G"): lambda u: u.push(_FLOAT.unpack(u.take(8))[0]),
    ord("X"): lambda u: u.text(4),
    0x8C: lambda u: u.text(1),
    0x8D: lambda u: u.text(8),
    ord("U"): lambda u: u.old_string(1),
    ord("T"): lambda u: u.old_string(4),
    ord("C"): lambda u: u.push(u.take(u.number(1))),
    ord("B"): lambda u: u.push(u.take(u.number(4))),
    0x8E: lambda u: u.push(u.take(u.number(8))),
    0x96: lambda u: u.push(bytearray(u.take(u.number(8)))),
    ord(")"): _constant(()),
    0x85: lambda u: u.tuple_of(1),
    0x86: lambda u: u.tuple_of(2),
    0x87: lambda u: u.tuple_of(3),
    ord("t"): lambda u: u.push(tuple(u.pop_mark())),
    ord("]"): lambda u: u.push([]),
    ord("l"): lambda u: u.push(u.pop_mark()),
    ord("a"): Unpickler.append,
    ord("e"): Unpickler.extend,
    ord("}"): lambda u: u.push({}),
    ord("d"): Unpickler.dict_of,
    ord("s"): Unpickler.set_item,
    ord("u"): Unpickler.set_items,
    0x8F: lambda u: u.push(set()),
    0x90: Unpickler.add_items,
    0x91: Unpickler.frozen,
    ord("c"): lambda u: u.look_up(u.line(), u.line()),
    0x93: Unpickler.stack_global,
    ord("R"): lambda u: u.call(False),
    0x81: lambda u: u.call(True),
    ord("b"): Unpickler.give_state,
    ord("Q"): lambda u: u.push(u.persistent_load(u.pop())),
    ord("h"): lambda u: u.push(u.memo[u.number(1)]),
    ord("j"): lambda u: u.push(u.memo[u.number(4)]),
    ord("q"): lambda u: u.put(u.number(1)),
    ord("r"): lambda u: u.put(u.number(4)),
    0x94: lambda u: u.put(len(u.memo)),
    0x80: lambda u: u.take(1),
    0x95: lambda u: u.take(8),
}
