"""Who is worked for, who waits and who is told to come back, by trees whose files claim memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic, sleep

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from diascope.access.admission import Limits
from diascope.access.http import Server
from diascope.access.s3 import S3
from diascope.access.turns import Turns
from diascope.bounded import BoundedCache
from diascope.haste import pause
from diascope.tree.file import Entry, File
from diascope.work import check, claim
from tests.servers import LiveServer, of_tree

SMALL = 1 << 20
MEMORY = 8 << 20
LIMITS = Limits(threads=2, small=SMALL, memory=MEMORY, waiting=3, seconds=20)


@dataclass(slots=True)
class Claiming:
    """A file ``small`` or by how many bytes it takes; whoever takes many waits until let go."""

    gate: Event = field(default_factory=Event)
    working: int = 0
    most: int = 0
    """How many bytes were held at once by larger work."""
    begun: int = 0
    stopped: int = 0
    _lock: Lock = field(default_factory=Lock)
    _cache: BoundedCache[bytes] = field(default_factory=lambda: BoundedCache(0, weigh=len))

    def file(self, path: str) -> File | None:
        name = path.rpartition("/")[2]
        if name.isdecimal():
            return File(media_type="text/plain", size=None, read=lambda start, stop: self._made(int(name))[start:stop])
        if name.startswith("shared"):
            return File(media_type="text/plain", size=None, read=lambda start, stop: self._shared(name)[start:stop])
        if name.startswith("long"):
            return File(media_type="text/plain", size=64 << 20, read=self._block)
        return File(media_type="text/plain", size=5, read=lambda start, stop: b"small"[start:stop])

    def entries(self, path: str) -> Iterator[Entry] | None:
        return iter([Entry("b", is_folder=True)]) if not path else iter(()) if path == "b" else None

    def _made(self, nbytes: int) -> bytes:
        pause()
        claim(nbytes)
        with self._lock:
            self.working += nbytes
            self.begun += 1
            self.most = max(self.most, self.working)
        try:
            while not self.gate.wait(0.01):
                check()
        except BaseException:
            self.stopped += 1
            raise
        finally:
            with self._lock:
                self.working -= nbytes
        return b"%d" % nbytes

    def _shared(self, name: str) -> bytes:
        return self._cache.get(name, lambda: self._made(2 * SMALL))

    def _block(self, start: int, stop: int | None) -> bytes:
        # The second block is larger work, which the first did not tell.
        claim(2 * SMALL if start else 1)
        self.begun += 1
        return start.to_bytes(8, "big") * (((stop or 0) - start) // 8)


@pytest.fixture
def tree() -> Claiming:
    return Claiming()


@pytest.fixture
def served(tree: Claiming) -> Iterator[LiveServer]:
    server = of_tree(tree, LIMITS)
    yield server
    tree.gate.set()
    server.stop()


def waited(until: Callable[[], bool], seconds: float = 10) -> None:
    end = monotonic() + seconds
    while not until():
        assert monotonic() < end, "it did not come about"
        sleep(0.01)


def test_clients_take_turns() -> None:
    turns: Turns[int] = Turns()
    for k in range(4):
        turns.add("greedy", k)
    turns.add("modest", 10)
    turns.add("other", 20)
    assert turns.remove("other", 20)
    assert not turns.remove("other", 20)
    assert [turns.take() for _ in range(len(turns))] == [0, 10, 1, 2, 3]
    assert turns.first() is None


def test_small_work_goes_on_while_large_work_fills_its_lane(tree: Claiming, served: LiveServer) -> None:
    with ThreadPoolExecutor(20) as threads:
        large = [threads.submit(httpx.get, f"{served.url}/data/b/{3 * SMALL + k}", timeout=30) for k in range(10)]
        waited(lambda: sum(each.done() for each in large) == 6)  # one is made, three wait
        for _ in range(20):
            begun = monotonic()
            assert httpx.get(f"{served.url}/data/b/small").text == "small"
            assert monotonic() - begun < 5
        refused = [each.result() for each in large if each.done()]
        tree.gate.set()
        answers = [each.result() for each in large]
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    made = [answer.text for answer in answers if answer.status_code == 200]
    assert len(made) == 4
    assert tree.most <= MEMORY
    assert all(int(text) >= 3 * SMALL for text in made)


def test_what_never_fits_is_413_through_every_door(served: LiveServer) -> None:
    never = MEMORY + 1
    answer = httpx.get(f"{served.url}/data/b/{never}")
    assert answer.status_code == 413
    assert "work_memory" in answer.json()["detail"]
    assert httpx.get(f"{served.url}/dav/b/{never}").status_code == 413
    s3 = httpx.get(f"{served.url}/s3/b/{never}")
    assert s3.status_code == 400
    assert "EntityTooLarge" in s3.text


def test_overload_is_503_through_every_door_and_never_404(tree: Claiming, served: LiveServer) -> None:
    with ThreadPoolExecutor(4) as threads:
        large = [threads.submit(httpx.get, f"{served.url}/data/b/{5 * SMALL + k}", timeout=30) for k in range(4)]
        waited(lambda: tree.begun == 1)
        sleep(0.2)  # until the others wait
        answers = {door: httpx.get(f"{served.url}/{door}/b/{4 * SMALL}", timeout=30) for door in ("data", "s3", "dav")}
        tree.gate.set()
        assert {each.result().status_code for each in large} == {200}
    assert {answer.status_code for answer in answers.values()} == {503}
    assert all("retry-after" in answer.headers for answer in answers.values())
    assert "<Code>SlowDown</Code>" in answers["s3"].text
    assert answers["data"].json()["status"] == 503


def test_a_client_that_goes_away_stops_what_it_waits_for(tree: Claiming, served: LiveServer) -> None:
    with ThreadPoolExecutor(3) as threads:
        running = threads.submit(httpx.get, f"{served.url}/data/b/{6 * SMALL}", timeout=1)
        waited(lambda: tree.begun == 1)
        waiting = threads.submit(httpx.get, f"{served.url}/data/b/{7 * SMALL}", timeout=0.5)
        assert isinstance(waiting.exception(), httpx.TimeoutException)
        assert isinstance(running.exception(), httpx.TimeoutException)
    waited(lambda: tree.stopped == 1 and tree.working == 0)
    tree.gate.set()
    # All the memory is free again, and nobody stands before the lane.
    assert httpx.get(f"{served.url}/data/b/{MEMORY}", timeout=10).text == str(MEMORY)
    assert tree.begun == 2


def test_who_waits_for_what_a_vanished_client_made_gets_it(tree: Claiming, served: LiveServer) -> None:
    with ThreadPoolExecutor(3) as threads:
        leader = threads.submit(httpx.get, f"{served.url}/data/b/shared", timeout=1)
        waited(lambda: tree.begun == 1)
        followers = [threads.submit(httpx.get, f"{served.url}/data/b/shared", timeout=30) for _ in range(2)]
        assert isinstance(leader.exception(), httpx.TimeoutException)
        waited(lambda: tree.stopped == 1)
        tree.gate.set()
        assert [each.result().text for each in followers] == [str(2 * SMALL)] * 2


def test_blocks_that_turn_out_larger_are_made_all_the_same(tree: Claiming, served: LiveServer) -> None:
    data = httpx.get(f"{served.url}/data/b/long").content
    assert len(data) == 64 << 20
    block = 4 << 20
    assert all(data[at : at + 8] == at.to_bytes(8, "big") for at in range(0, len(data), block))


def test_a_client_has_no_more_requests_under_way_than_it_may(tree: Claiming) -> None:
    server = of_tree(tree, Limits(threads=2, small=MEMORY, client=2))
    try:
        with ThreadPoolExecutor(2) as threads:
            running = [threads.submit(httpx.get, f"{server.url}/data/b/{k}", timeout=30) for k in (1, 2)]
            waited(lambda: tree.begun == 2)
            refused = httpx.get(f"{server.url}/data/b/small")
            slow_down = httpx.get(f"{server.url}/s3/b/small")
            tree.gate.set()
            assert [each.result().text for each in running] == ["1", "2"]
        waited(lambda: httpx.get(f"{server.url}/data/b/small").status_code == 200)
    finally:
        tree.gate.set()
        server.stop()
    assert (refused.status_code, slow_down.status_code) == (503, 503)
    assert "client_requests" in refused.json()["detail"]
    assert "SlowDown" in slow_down.text


def test_a_key_has_no_more_requests_under_way_than_it_may_and_only_who_proved_it_counts(tree: Claiming) -> None:
    keys = {"AKIAONE": "first secret", "AKIATWO": "second secret"}
    handlers = {"/s3/": S3(tree, keys).answer}
    server = LiveServer(Server(handlers=handlers, rest={}, limits=Limits(threads=4, key=1)))

    def got(path: str, key: str, secret: str) -> httpx.Response:
        request = AWSRequest("GET", f"{server.url}/s3/{path}", headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
        S3SigV4Auth(Credentials(key, secret), "s3", "us-east-1").add_auth(request)
        return httpx.get(f"{server.url}/s3/{path}", headers=dict(request.headers), timeout=30)

    try:
        with ThreadPoolExecutor(2) as threads:
            running = threads.submit(got, "b/1", "AKIAONE", "first secret")
            waited(lambda: tree.begun == 1)
            assert got("b/2", "AKIATWO", "no secret").status_code == 403  # and it takes nothing from the key's own
            other = threads.submit(got, "b/2", "AKIATWO", "second secret")
            waited(lambda: tree.begun == 2)
            refused = got("b/3", "AKIAONE", "first secret")
            tree.gate.set()
            assert (running.result().text, other.result().text) == ("1", "2")
        assert got("b/3", "AKIAONE", "first secret").text == "3"
    finally:
        tree.gate.set()
        server.stop()
    assert refused.status_code == 503
    assert "SlowDown" in refused.text
    assert "key_requests" in refused.text
