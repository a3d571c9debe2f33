"""Messages between the server and a worker process.

    uint32 length of the JSON | uint32 length of the bytes | JSON | bytes        big-endian

Nothing in a message is ever executed: neither side unpickles.
"""  # fmt: skip

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]

LENGTHS = struct.Struct(">II")

LARGEST = 1 << 26
"""How many bytes the JSON of a message may have."""

PIECE = 1 << 24
"""How many bytes follow a message at the most."""

AT_ONCE = 1 << 16
"""How many bytes are received by one call: most messages are fewer, and come as one."""


class Broken(Exception):
    """The other side does not speak as agreed."""


class Channel:
    """One end of a connection; one thread at a time."""

    def __init__(self, end: socket.socket, most: int) -> None:
        """``most`` bytes may follow a message from the other side."""
        self._end = end
        self._most = most
        self._left = bytearray()
        """What was received beyond what was asked for."""

    def send(self, message: Message, data: bytes = b"", watch: Callable[[], object] = bool) -> None:
        """Raises EOFError where nobody listens; ``watch`` is called now and then, and ends the wait by raising."""
        head = _encoded(message).encode()
        left = memoryview(LENGTHS.pack(len(head), len(data)) + head + data)
        while left:
            try:
                left = left[self._end.send(left) :]
            except TimeoutError:
                watch()
            except ConnectionError as error:
                raise EOFError from error

    def receive(self, watch: Callable[[], object] = bool) -> tuple[Message, bytes]:
        """Raises EOFError where nobody speaks any more, and Broken where what comes is no message."""
        head, data = LENGTHS.unpack(self._received(LENGTHS.size, watch))
        if head > LARGEST or data > self._most:
            raise Broken(f"a message of {head} and {data} bytes")
        text = self._received(head, watch)
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Broken("a message that is no JSON") from error
        if not isinstance(message, dict):
            raise Broken("a message that is no object")
        return message, self._received(data, watch)

    def _received(self, size: int, watch: Callable[[], object]) -> bytes:
        left = self._left
        while len(left) < size:
            try:
                piece = self._end.recv(AT_ONCE)
            except TimeoutError:
                watch()
                continue
            except ConnectionError as error:
                raise EOFError from error
            if not piece:
                raise EOFError
            left += piece
            if len(left) < size:
                watch()
        data = bytes(left[:size])
        del left[:size]
        return data

    def close(self) -> None:
        self._end.close()


def _plain(value: Any) -> Any:
    """What JSON lacks a word for: mappings that are no dictionaries, and numbers of numpy's."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.tolist() if hasattr(value, "tolist") else list(value)


_encoded = json.JSONEncoder(default=_plain).encode
