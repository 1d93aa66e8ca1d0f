"""The flash and the stack of the C, as some compiler made them: the header states them then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Footprint:
    """Bytes of one C file: code, constants beside the weights, variables, the deepest stack.

    The stack is that of the deepest chain of calls inside the file. Functions of the C library,
    such as memcpy, are not in it, nor are the caller and its functions, `config.hook` and
    `parallel_for`. `compiler` is its first line of version and
    the flags, `board` the board whose flags they are.
    """

    code: int
    constants: int
    variables: int
    stack: int
    chain: tuple[str, ...]
    compiler: str
    board: str

    @property
    def flash(self) -> int:
        """Code and constants."""
        return self.code + self.constants
