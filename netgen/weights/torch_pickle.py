"""The pickle inside a torch checkpoint, read without torch and without running anything.

A pickle is a program for a stack machine that may import and call whatever it names. `pickle`
itself can be told which names to admit, but still allocates what a hostile program asks for and
sets attributes of admitted objects. The machine here knows only the operations that `torch.save`
writes, and to it a function is a name: the few names in CALLS make plain data, any other is
refused. Nothing is imported, called, or given attributes on behalf of the file.

Operations and their arguments: CPython's `pickletools`. The names torch writes: torch's
`serialization.py` and `_weights_only_unpickler.py`.
"""

from __future__ import annotations

import io
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from netgen.errors import WeightsError
from netgen.weights.naming import shown
from netgen.weights.torch_objects import (
    CALLS,
    KEY_TYPES,
    STORAGE_TYPES,
    UNREAD_STORAGES,
    MalformedError,
    Storage,
    StorageType,
    make_storage,
)

# One tensor takes about 40 operations. The limit keeps a long program of tiny objects, each many
# times larger in memory than in the file, from filling it.
_MAX_OPERATIONS = 4_000_000

# torch's magic number is an integer of 10 bytes; a longer one has no place in a checkpoint.
_MAX_INTEGER_BITS = 128


_BY_CODE = {operation.code: operation for operation in pickletools.opcodes}


@dataclass(frozen=True)
class _Function:
    """A function or class that the pickle names, one of CALLS."""

    name: str


def load_pickle(stream: io.BytesIO, where: str) -> tuple[object, dict[str, Storage]]:
    """Read one pickle at the stream's position; the stream is left at its end.

    Returns what it describes (dict, list, tuple, str, bytes, int, float, bool, None, `Tensor`,
    `Storage`) and the storages by key. `where` names the file in errors.

    Raises WeightsError where the pickle names or does what tensors and plain containers do not
    need, and ValueError (MalformedError, or from `pickletools`) where it is not well formed.
    """
    machine = _Machine(stream, where)
    return machine.run(), machine.storages


class _Machine:
    """The stack, its marks and the memo of one pickle."""

    def __init__(self, stream: io.BytesIO, where: str) -> None:
        self.storages: dict[str, Storage] = {}
        self._stream = stream
        self._where = where
        self._stack: list[object] = []
        self._marked: list[list[object]] = []
        self._memo: dict[object, object] = {}

    def run(self) -> object:
        for _ in range(_MAX_OPERATIONS):
            name, argument = self.next()
            if name == "STOP":
                result = self.pop()
                if self._stack or self._marked:
                    raise MalformedError("objects left over at the pickle's end")
                return result
            _OPERATIONS[name](self, argument)
        raise self.refused("is a program of millions of operations")

    def next(self) -> tuple[str, object]:
        code = self._stream.read(1)
        if not code:
            raise MalformedError("it ends inside a pickle")
        operation = _BY_CODE.get(code.decode("latin-1"))
        if operation is None:
            raise MalformedError(f"byte {code.hex()} is no pickle operation")
        if operation.name != "STOP" and operation.name not in _OPERATIONS:
            raise self.refused(f"uses the pickle operation {operation.name}")
        if operation.name in {"GLOBAL", "INST"}:
            return operation.name, self.read_line() + "." + self.read_line()
        return operation.name, operation.arg.reader(self._stream) if operation.arg else None

    def read_line(self) -> str:
        # Not by `pickletools`, which looks for escapes in it and warns of unknown ones.
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise MalformedError("it ends inside a name")
        return line[:-1].decode("utf-8")

    def refused(self, act: str) -> WeightsError:
        return WeightsError(
            f"refused: the file {act}",
            where=self._where,
            expected="a checkpoint of tensors and plain containers only, as nothing else is run",
            hint="save model.state_dict() alone with torch.save, or convert it to safetensors",
        )

    # The stack.

    def push(self, value: object) -> None:
        if type(value) is int and value.bit_length() > _MAX_INTEGER_BITS:
            raise MalformedError("an integer of absurd size")
        self._stack.append(value)

    def pop(self) -> object:
        if not self._stack:
            raise MalformedError("a pickle operation without an operand")
        return self._stack.pop()

    def top(self) -> object:
        value = self.pop()
        self._stack.append(value)
        return value

    def pop_to_mark(self) -> list[object]:
        if not self._marked:
            raise MalformedError("a pickle operation without a mark")
        values, self._stack = self._stack, self._marked.pop()
        return values

    def skip(self, _: object) -> None:
        """Do nothing: the protocol's number and the framing do not change the meaning."""

    def mark(self, _: object) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def duplicate(self, _: object) -> None:
        self.push(self.top())

    def discard(self, _: object) -> None:
        self.pop()

    def discard_to_mark(self, _: object) -> None:
        self.pop_to_mark()

    # The memo.

    def put(self, index: object) -> None:
        self._memo[index] = self.top()

    def memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self.top()

    def get(self, index: object) -> None:
        if index not in self._memo:
            raise MalformedError("a reference to an object that was not stored")
        self.push(self._memo[index])

    # Containers.

    def make_tuple(self, _: object) -> None:
        values = self.pop_to_mark()
        self.push(tuple(values))

    def make_tuple_of(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(values)))

    def append(self, _: object) -> None:
        self.extend([self.pop()])

    def appends(self, _: object) -> None:
        self.extend(self.pop_to_mark())

    def extend(self, values: list[object]) -> None:
        target = self.top()
        if not isinstance(target, list):
            raise MalformedError("an item added to something that is not a list")
        target.extend(values)

    def set_item(self, _: object) -> None:
        value = self.pop()
        self.update([self.pop(), value])

    def set_items(self, _: object) -> None:
        self.update(self.pop_to_mark())

    def update(self, items: list[object]) -> None:
        target = self.top()
        if not isinstance(target, dict):
            raise MalformedError("an item set in something that is not a dict")
        if len(items) % 2:
            raise MalformedError("a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, KEY_TYPES):
                raise MalformedError("a key that is neither text nor number")
            target[key] = value

    # Names, calls and what they make.

    def take_global(self, argument: object) -> None:
        self.push_name(str(argument))

    def instantiate(self, argument: object) -> None:
        # Never written by torch; known here so that the refusal says what it wants.
        self.take_global(argument)
        raise self.refused("uses the pickle operation INST")

    def stack_global(self, _: object) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise MalformedError("a name that is not text")
        self.push_name(f"{module}.{name}")

    def push_name(self, name: str) -> None:
        if name in STORAGE_TYPES:
            self.push(StorageType(STORAGE_TYPES[name]))
        elif name in CALLS:
            self.push(_Function(name))
        elif name in UNREAD_STORAGES:
            raise WeightsError(
                f"tensors of {name} cannot be read",
                where=self._where,
                expected="real numbers",
                hint="convert them to float32, or leave them out of what torch.save saves",
            )
        else:
            raise self.refused(f"wants to call {shown(name)}")

    def reduce(self, _: object) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Function) or not isinstance(arguments, tuple):
            raise MalformedError("a call of something that is not a function")
        self.push(CALLS[function.name](arguments))

    def drop_state(self, _: object) -> None:
        # A state_dict carries its `_metadata` (versions of modules) as an attribute; the values do
        # not depend on it, so that it is dropped and no attribute is ever set.
        self.pop()
        if type(self.top()) is not OrderedDict:
            raise self.refused("sets attributes of something other than a state dict")

    def push_storage(self, _: object) -> None:
        storage = make_storage(self.pop())
        if self.storages.setdefault(storage.key, storage) != storage:
            raise MalformedError(f"storage {shown(storage.key)} is given two types or sizes")
        self.push(storage)


# All that protocols 2 to 5 write for tensors and plain containers, and INST. Reading an operation's
# argument allocates no more than the file holds.
_OPERATIONS: dict[str, Callable[[_Machine, object], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), _Machine.skip),
    **dict.fromkeys(
        (
            *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
            *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"),
            *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
        ),
        _Machine.push,
    ),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "MARK": _Machine.mark,
    "DUP": _Machine.duplicate,
    "POP": _Machine.discard,
    "POP_MARK": _Machine.discard_to_mark,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "TUPLE": _Machine.make_tuple,
    "TUPLE1": lambda machine, _: machine.make_tuple_of(1),
    "TUPLE2": lambda machine, _: machine.make_tuple_of(2),
    "TUPLE3": lambda machine, _: machine.make_tuple_of(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.take_global,
    "STACK_GLOBAL": _Machine.stack_global,
    "INST": _Machine.instantiate,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.drop_state,
    "BINPERSID": _Machine.push_storage,
}
