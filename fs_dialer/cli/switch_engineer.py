"""What a switch needs besides our files, and the engineer does himself: told after an installation, never done.

Knows which settings of FreeSWITCH are his (event socket, access lists, modules, his own dialplan) and the lines that fit them. Where the switch answers, only
what is missing is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from fs_dialer.cli.doctor import switch as judge
from fs_dialer.cli.doctor.ask_switch import EVENT_SOCKET_CONF
from fs_dialer.cli.doctor.checks import Verdict
from fs_dialer.cli.settings import Session
from fs_dialer.cli.switch_files import Contents
from fs_dialer.cli.switch_folder import Folder
from fs_dialer.cli.switch_line import ALIAS, ALIAS_COMMAND, Here
from fs_dialer.core.switch_names import QUEUE_CONTEXT
from fs_dialer.dialplans.modules import modules_needed

ACL = "fs_dialer"


@dataclass(frozen=True, slots=True)
class Task:
    """`what`: one line. `where`: the file, or the shell. `lines`: to be put there."""

    what: str
    where: str
    lines: tuple[str, ...] = ()

    def told(self) -> Iterator[str]:
        yield f"- {self.what} ({self.where})"
        yield from (f"    {line}" for line in self.lines)


def tasks(session: Session, here: Here, folder: Folder, wanted: Contents, *, script: bool, reloaded: bool) -> list[Task]:
    found = [*_included(folder, wanted), *_event_socket(session, here, folder), *_modules(here, folder, wanted, script=script), *_transfers(wanted)]
    if wanted.queues or wanted.ivrs:
        recordings = session.settings().recordings()
        found.append(Task("the switch's user must be able to write recordings and messages", "shell", (f"install -d -o freeswitch {recordings}",)))
    if not reloaded:
        found.append(Task("make the switch read the files", "shell", ("fs_cli -x reloadxml",)))
        if script:
            found.append(Task("`fsd status` for users of fs_cli", "shell", (f"fs_cli -x 'alias stickyadd {ALIAS} {ALIAS_COMMAND}'",)))
    return found


def _included(folder: Folder, wanted: Contents) -> Iterator[Task]:
    main = folder.conf / "freeswitch.xml"
    if 'data="dialplan/*.xml"' not in _text(main):
        yield Task("include our contexts, inside the section dialplan", str(main), ('<X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>',))
    if any(queue.numbers for queue in wanted.queues):
        texts = [_text(each) for each in sorted((folder.conf / "dialplan").glob("*.xml"))]
        if not any('data="public/*.xml"' in text for text in texts):
            line = '<X-PRE-PROCESS cmd="include" data="public/*.xml"/>'
            yield Task(
                "include the numbers of the queues, inside the context in which your trunks' calls arrive", str(folder.conf / "dialplan/public.xml"), (line,)
            )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _event_socket(session: Session, here: Here, folder: Folder) -> Iterator[Task]:
    esl = session.settings().esl
    xml = here.ask(EVENT_SOCKET_CONF)
    if here.line is not None and judge.event_socket(xml, esl.host).verdict is Verdict.FINE and judge.DEFAULT_PASSWORD not in xml:
        return
    loopback = judge.is_loopback(esl.host)
    listens, admitted = ("127.0.0.1", "127.0.0.1/32") if loopback else (esl.host, "ADDRESS-OF-THE-DAEMON/32")
    acl = (f'<list name="{ACL}" default="deny">', f'  <node type="allow" cidr="{admitted}"/>', "</list>")
    settings = {"listen-ip": listens, "listen-port": str(esl.port), "password": "A-PASSWORD-OF-ITS-OWN", "apply-inbound-acl": ACL}
    params = tuple(f'<param name="{name}" value="{escape(value)}"/>' for name, value in settings.items())
    yield Task("who may come to the event socket; then: fs_cli -x reloadacl", str(folder.conf / "autoload_configs/acl.conf.xml"), acl)
    yield Task("the event socket itself; then: fs_cli -x 'reload mod_event_socket'", str(folder.conf / "autoload_configs/event_socket.conf.xml"), params)


def _modules(here: Here, folder: Folder, wanted: Contents, *, script: bool) -> Iterator[Task]:
    needed = modules_needed(wanted.ivrs, wanted.queues, wanted.detectors)
    if script:
        needed["mod_lua"] = "`fsd status`; nothing else needs it"
    if here.line is not None:
        needed = {module: why for module, why in needed.items() if here.ask(f"module_exists {module}").strip() != "true"}
    if needed:
        lines = tuple(f'<load module="{module}"/>  <!-- {why.replace("--", "- -")} -->' for module, why in sorted(needed.items()))
        what = "these modules are not loaded" if here.line is not None else "these modules have to be loaded (the switch was not asked)"
        yield Task(f"{what}; then for each: fs_cli -x 'load MODULE'", str(folder.conf / "autoload_configs/modules.conf.xml"), lines)


def _transfers(wanted: Contents) -> Iterator[Task]:
    if queues := [queue.name for queue in wanted.queues if not queue.numbers]:
        lines = tuple(f'<action application="transfer" data="{name} XML {QUEUE_CONTEXT}"/>' for name in queues)
        yield Task("queues without numbers: send their callers there", "your own dialplan", lines)
