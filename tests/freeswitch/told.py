"""What the switch tells of any leg, ours or not, with its CUSTOM events; and our dialplan in its folder for as long as a test file runs.

watch.py notes only legs that fs-dialer originates; a caller of a queue is none of these.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from fs_dialer.esl.wire import Event
from tests.freeswitch.watch import PATIENCE_S, Address, Line

TOLD = (
    "CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_PARK CHANNEL_EXECUTE CHANNEL_BRIDGE PLAYBACK_START PLAYBACK_STOP RECORD_START RECORD_STOP DTMF "
    "CHANNEL_HANGUP_COMPLETE CUSTOM fsd::ivr fsd::queue"
)


class Told:
    """Every event of every leg from now on, with the time of its arrival; and api commands."""

    def __init__(self, address: Address, names: str = TOLD) -> None:
        self._line, self._events = Line(address), Line(address)
        self._events.patient_for_ever()
        self.events: list[tuple[float, Event]] = []
        self._changed = threading.Condition()
        self._commands = threading.Lock()
        if not self._events.ask(f"event json {names}").startswith("+OK"):
            raise OSError("the switch refused the subscription")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for message in self._events.messages():
                if isinstance(message, Event):
                    with self._changed:
                        self.events.append((time.monotonic(), message))
                        self._changed.notify_all()
        except OSError:
            pass  # closed

    def api(self, command: str) -> str:
        with self._commands:
            return self._line.ask(f"api {command}").strip()

    def of(self, leg: str) -> list[tuple[float, Event]]:
        with self._changed:
            return [(at, event) for at, event in self.events if event.headers.get("Unique-ID") == leg]

    def until(self, holds: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            left = deadline - time.monotonic()
            assert left > 0, f"not in {timeout_s:g} s: {what}\n{self.story()}"
            with self._changed:
                self._changed.wait(min(left, 0.1))

    def first(self, matches: Callable[[Event], bool], what: str, timeout_s: float = PATIENCE_S) -> tuple[float, Event]:
        """The first event that is so, now or later."""
        self.until(lambda: self._found(matches) is not None, what, timeout_s)
        found = self._found(matches)
        assert found is not None
        return found

    def _found(self, matches: Callable[[Event], bool]) -> tuple[float, Event] | None:
        with self._changed:
            return next(((at, event) for at, event in self.events if matches(event)), None)

    def count(self, matches: Callable[[Event], bool]) -> int:
        with self._changed:
            return sum(1 for _, event in self.events if matches(event))

    def ended(self, leg: str, timeout_s: float = 60.0) -> Event:
        return self.first(lambda e: e.name == "CHANNEL_HANGUP_COMPLETE" and e.headers.get("Unique-ID") == leg, f"{leg} ends", timeout_s)[1]

    def story(self) -> str:
        with self._changed:
            events = self.events[-60:]
        words = []
        for at, event in events:
            h = event.headers
            what = " ".join(h.get(name, "") for name in ("Application", "Application-Data", "Fsd-What", "Fsd-Key", "DTMF-Digit", "Hangup-Cause"))
            words.append(f"+{at - events[0][0]:.2f} {h.get('Unique-ID', '')[:8]} {event.name} {what[:120]}")
        return "\n".join(words)

    # --- what is kept -------------------------------------------------------------------------------------------------------------------

    def rows(self) -> dict[str, str]:
        """As many as the switch lists: about ninety."""
        listed = self.api("db list/fsd_kept")
        names = [] if listed.startswith("-ERR") else [name for name in listed.split(",") if "." in name]
        return {name: value for name in names if not (value := self.api(f"db select/fsd_kept/{name}")).startswith("-ERR")}

    def forget_rows(self) -> int:
        """How many there were."""
        forgotten = 0
        while rows := self.rows():
            for name in rows:
                self.api(f"db delete/fsd_kept/{name}")
            forgotten += len(rows)
        return forgotten

    def close(self) -> None:
        self._events.close()
        self._thread.join()
        self._line.close()


@contextmanager
def installed(told: Told, files: Mapping[str, str]) -> Iterator[None]:
    """Our dialplan in the switch's own folder; afterwards what was there before. The test is skipped where that folder is not ours to write."""
    conf = Path(told.api("global_getvar conf_dir"))
    if not os.access(conf / "dialplan", os.W_OK):
        pytest.skip(f"needs to write to {conf / 'dialplan'}: the dialplan of the switch")
    before = {name: (conf / name).read_bytes() if (conf / name).exists() else None for name in files}
    (conf / "dialplan" / "public").mkdir(exist_ok=True)
    try:
        for name, text in files.items():
            _write(conf / name, text.encode())
        assert told.api("reloadxml").startswith("+OK")
        yield
    finally:
        for name, old in before.items():
            if old is None:
                (conf / name).unlink(missing_ok=True)
            else:
                _write(conf / name, old)
        told.api("reloadxml")


def _write(path: Path, data: bytes) -> None:
    if path.exists():
        path.chmod(0o644)
    path.write_bytes(data)
