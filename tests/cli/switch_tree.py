"""A FreeSWITCH's configuration folder as its standard one is shaped, made up here; and an event socket that answers as one would.

The tree has what matters to us: freeswitch.xml with its includes, the contexts, dialplan/public/, files that nobody includes, odd modes.
"""

from __future__ import annotations

import hashlib
import re
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAIN = """<?xml version="1.0"?>
<document type="freeswitch/xml">
  <X-PRE-PROCESS cmd="include" data="vars.xml"/>
  <section name="configuration">
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
  <section name="dialplan">
    <X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>
  </section>
</document>
"""
PUBLIC = '<include>\n  <context name="public">\n    <X-PRE-PROCESS cmd="include" data="public/*.xml"/>\n  </context>\n</include>\n'
FILES = {
    "freeswitch.xml": MAIN,
    "vars.xml": "<include/>\n",
    "dialplan/default.xml": '<include>\n  <context name="default"/>\n</include>\n',
    "dialplan/public.xml": PUBLIC,
    "dialplan/public/00_inbound_did.xml": "<include/>\n",
    "dialplan/default/99_old.xml.noload": "left over\n",
    "autoload_configs/modules.conf.xml": '<configuration name="modules.conf"/>\n',
    "autoload_configs/event_socket.conf.xml": '<configuration name="event_socket.conf"/>\n',
    "sip_profiles/external/example.xml": "<include/>\n",
    "lang/en/en.xml": "<include/>\n",
}


def a_tree(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    conf = folder / "freeswitch"
    for path, text in FILES.items():
        if not path.startswith(without):
            (conf / path).parent.mkdir(parents=True, exist_ok=True)
            (conf / path).write_text(text, encoding="utf-8")
            (conf / path).chmod(0o640)
    for each in (conf, *(each for each in conf.rglob("*") if each.is_dir())):
        each.chmod(0o750)
    (folder / "scripts").mkdir(exist_ok=True)
    return conf


def seen(*folders: Path) -> dict[str, tuple[str, int, str]]:
    """Everything below: kind, mode, hash."""
    found = {}
    for folder in folders:
        for each in [folder, *sorted(folder.rglob("*"))]:
            mode = each.lstat().st_mode
            data = hashlib.sha256(each.read_bytes()).hexdigest() if stat.S_ISREG(mode) else ""
            found[str(each)] = (stat.filemode(mode)[0], stat.S_IMODE(mode), data)
    return found


class Switch:
    """An event socket that knows a conf folder: reloadxml reads its dialplan, xml_locate tells what was read. `broken`: what reloadxml says, "" = it works."""

    def __init__(self, conf: Path, scripts: Path) -> None:
        self.conf, self.scripts = conf, scripts
        self.broken, self.channels, self.read, self.reloads = "", "[]", "", 0
        self.asked: list[str] = []
        self.includes = True
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def environ(self) -> dict[str, str]:
        return {"FS_DIALER_ESL": self.address, "FS_DIALER_ESL_PASSWORD": "of its own"}

    def answer(self, command: str) -> str:
        self.asked.append(command)
        verb, _, words = command.partition(" ")
        if command.startswith("global_getvar"):
            return {"conf_dir": str(self.conf), "script_dir": str(self.scripts)}.get(words, "")
        if verb == "reloadxml":
            self.reloads += 1
            if self.broken:
                return f"+OK [{self.broken}]\n"
            files = [*(self.conf / "dialplan").glob("*.xml"), *(self.conf / "dialplan" / "public").glob("*.xml")]
            self.read = "".join(path.read_text(encoding="utf-8") for path in sorted(files)) if self.includes else ""
            return "+OK [Success]\n"
        if verb == "xml_locate" and words.startswith("dialplan"):
            name = words.rpartition(" ")[2]
            if name == "public":
                return self.read
            found = re.search(rf'<context name="{name}">.*?</context>', self.read, re.DOTALL)
            return found[0] if found else "-ERR can't find it"
        if command == "show channels as json":
            return f'{{"row_count":0,"rows":{self.channels}}}'
        return {"module_exists": "true", "alias": "+OK"}.get(verb, "")

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(one,), daemon=True).start()

    def _talk(self, one: socket.socket) -> None:
        one.sendall(b"Content-Type: auth/request\n\n")
        with one, one.makefile("rb") as lines:
            command = ""
            for line in lines:
                if line.strip():
                    command = line.decode().strip()
                elif command.startswith("auth "):
                    one.sendall(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
                else:
                    said = self.answer(command.removeprefix("api ")).encode()
                    one.sendall(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(said), said))


@contextmanager
def a_switch(conf: Path, scripts: Path) -> Iterator[Switch]:
    switch = Switch(conf, scripts)
    try:
        yield switch
    finally:
        switch.server.close()
