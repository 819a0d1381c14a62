"""A switch client in a process of its own, driven by JSON lines.

As a module it is that process (python -m tests.contract.client_process KIND SETTINGS); as a class it is the test's end of it. A library may block,
spin or crash: a test then fails, and the process is killed by its pid, while the run goes on.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 6.0
QUIET_S = 0.3  # how long nothing must come where nothing may


class ClientProcess:
    """What the client told, in order: `link`, `event` and `answer` messages."""

    def __init__(self, kind: str, **settings: Any) -> None:
        # Unbuffered and unfriendly to nobody: stderr is kept, for a password must not appear there either.
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.client_process", kind, json.dumps(settings)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        self.errors: list[str] = []
        self._asked = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._threads = [threading.Thread(target=self._listen, daemon=True), threading.Thread(target=self._listen_to_errors, daemon=True)]
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.told.put(json.loads(line))

    def _listen_to_errors(self) -> None:
        assert self._child.stderr is not None
        self.errors.extend(self._child.stderr)

    def next(self, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next link or event message. AssertionError when none comes."""
        while True:
            try:
                told = self.told.get(timeout=timeout_s)
            except queue.Empty:
                raise AssertionError(f"the client said nothing for {timeout_s} s; stderr: {''.join(self.errors)[-2000:]}") from None
            if "answer" not in told:
                return told
            self._answers[told["answer"]] = told

    def says_nothing(self) -> bool:
        """Whether it keeps quiet for a while."""
        try:
            self.next(QUIET_S)
        except AssertionError:
            return True
        return False

    def event(self) -> dict[str, Any]:
        """The next message, which must be an event."""
        told = self.next()
        assert "event" in told, told
        return told

    def ask(self, do: str, **arguments: Any) -> int:
        """Have it call the client; answer() has the outcome."""
        assert self._child.stdin is not None
        self._asked += 1
        self._child.stdin.write(json.dumps({"do": do, "number": self._asked, **arguments}) + "\n")
        self._child.stdin.flush()
        return self._asked

    def answer(self, number: int, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """Outcome of a call: {"reply": …} or {"error": class name, "text": …}. Other messages stay for next()."""
        kept = []
        try:
            while number not in self._answers:
                told = self.told.get(timeout=timeout_s)
                if "answer" in told:
                    self._answers[told["answer"]] = told
                else:
                    kept.append(told)
        except queue.Empty:
            raise AssertionError(f"no answer to call {number} for {timeout_s} s; stderr: {''.join(self.errors)[-2000:]}") from None
        finally:
            for told in kept:
                self.told.put(told)
        return self._answers.pop(number)

    def call(self, do: str, **arguments: Any) -> dict[str, Any]:
        return self.answer(self.ask(do, **arguments))

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()


def main() -> None:
    import gevent
    from gevent.fileobject import FileObject

    from fs_dialer.errors import EslError
    from fs_dialer.esl.client import EslSettings, LinkLost, LinkUp, open_client
    from fs_dialer.esl.wire import Event

    def say(**told: Any) -> None:
        print(json.dumps(told), flush=True)

    def on_event(event: Event) -> None:
        say(event=event.name, headers=event.headers, body=event.body)

    def on_link(link: LinkUp | LinkLost) -> None:
        if isinstance(link, LinkUp):
            say(link="up", epoch=link.epoch)
        else:
            say(link="lost", epoch=link.epoch, reason=link.reason, mends_itself=link.mends_itself)

    settings: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(sys.argv[2]).items()}
    client = open_client(sys.argv[1], EslSettings(**settings), on_event, on_link)

    def perform(do: str, number: int, **arguments: Any) -> None:
        try:
            say(answer=number, reply=getattr(client, do)(**arguments))
        except EslError as error:
            say(answer=number, error=type(error).__name__, text=str(error))

    client.start()
    for line in FileObject(sys.stdin.buffer, "rb"):
        gevent.spawn(perform, **json.loads(line))


if __name__ == "__main__":
    main()
