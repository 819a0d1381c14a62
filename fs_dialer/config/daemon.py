"""The daemon's and the command line's own settings: fs-dialer.yml, and the environment over it.

Knows where the file is looked for, which variable goes over which setting, and that no password stands in the file: secrets are named there
(secret.py). Problems carry no source line, because a line of this file may hold what somebody should not have written into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, replace
from pathlib import Path
from typing import Any

from fs_dialer.config import http_settings, switch_links
from fs_dialer.config.declarations import within
from fs_dialer.config.form import Form
from fs_dialer.config.http_settings import HttpSettings
from fs_dialer.config.secret import REFERENCE, Secret, has_password
from fs_dialer.config.values import BadValue, duration
from fs_dialer.config.yaml_source import MAX_BYTES, YamlFile, read_yaml
from fs_dialer.core.options import declared, option, section
from fs_dialer.core.resources import DAY
from fs_dialer.errors import ConfigError, Problem

SEARCHED = (Path("fs-dialer.yml"), Path("/etc/fs-dialer/fs-dialer.yml"))
CLIENTS = ("native", "greenswitch", "python-esl")
LEVELS = ("debug", "info", "warning", "error")

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s\[\]]+))(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    dsn: Secret | None = option(None, kind="text", help="How to reach PostgreSQL: a DSN without a password, or env:NAME or file:PATH of one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EslSettings:
    host: str = option("127.0.0.1", kind="text", help="Where FreeSWITCH listens for the event socket.")
    port: int = option(8021, kind="count", low=1, high=65535, help="Its port.")
    password: Secret | None = option(None, kind="text", help="Its password: env:NAME or file:PATH, never the password itself.")
    client: str = option("native", kind="choice", choices=CLIENTS, help="Which client of the event socket is used; native is ours.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    level: str = option("info", kind="choice", choices=LEVELS, help="How much is logged; debug shows telephone numbers in full.")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    dir: str = option("", kind="text", help="The folder of the journal; none = the folder journal in state_dir.")
    keep_s: float = option(7 * DAY, kind="duration", key="keep", low=0, high=3650 * DAY, help="How long journals are kept; 0s = none is written.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """Everything fs-dialer.yml says, the environment's word over the file's."""

    database: DatabaseSettings = section(DatabaseSettings, help="The one database of this installation.")
    esl: EslSettings = section(EslSettings, help="The event socket of FreeSWITCH.")
    state_dir: str = option("/var/lib/fs-dialer", kind="text", help="Where the daemon keeps its spool and journal; must survive a restart.")
    recordings_dir: str = option(
        "", kind="text", help="Where the switch, by its own path, writes what is recorded; none = the folder recordings in state_dir. It must be able to."
    )
    log: LogSettings = section(LogSettings, help="The daemon's log.")
    journal: JournalSettings = section(JournalSettings, help="Every event and action of the daemon, for `fs-dialer replay`.")
    http: HttpSettings = section(HttpSettings, help="The HTTP interface: health, metrics, leads from other programs.")
    switches: Mapping[str, EslSettings] = field(default_factory=dict)  # further ones (switch_links.py)
    file: Path | None = field(default=None)  # where the settings came from

    def dsn(self) -> str:
        """How to reach the database, with its password. ConfigError where nothing says."""
        return self._revealed(self.database.dsn, "database.dsn", "no database is named", "FS_DIALER_DSN")

    def esl_password(self) -> str:
        """The event socket's password. ConfigError where nothing says."""
        return self._revealed(self.esl.password, "esl.password", "the event socket's password is not named", "FS_DIALER_ESL_PASSWORD")

    def switch_password(self, switch: str) -> str:
        """A further switch's. ConfigError where nothing says."""
        path = f"switches.{switch}.password"
        return self._revealed(self.switches[switch].password, path, f"the password of switch {switch} is not named", switch_links.variable(switch, "_PASSWORD"))

    def journal_dir(self) -> Path | None:
        """None: no journal is wanted."""
        if not self.journal.keep_s:
            return None
        return Path(self.journal.dir) if self.journal.dir else Path(self.state_dir) / "journal"

    def recordings(self) -> Path:
        """Below it lie the recordings, as CAMPAIGN/YYYY-MM-DD/ATTEMPT.wav."""
        return Path(self.recordings_dir) if self.recordings_dir else Path(self.state_dir) / "recordings"

    def _revealed(self, secret: Secret | None, path: str, what: str, variable: str) -> str:
        if secret is not None:
            return secret.reveal()
        text = f"{what}: set it in fs-dialer.yml, or set the variable {variable}"
        raise ConfigError([Problem(str(self.file or "fs-dialer.yml"), 0, 0, path, text)])


def load_settings(config: Path | str | None, environ: Mapping[str, str]) -> DaemonSettings:
    """The settings of `config`, else $FS_DIALER_CONFIG, else the first of SEARCHED that exists, else defaults; the environment's over them.

    Raises ConfigError with all problems. A variable set to nothing counts as not set.
    """
    said = {name: value for name, value in environ.items() if value}
    chosen = Path(config) if config else Path(said["FS_DIALER_CONFIG"]) if "FS_DIALER_CONFIG" in said else None
    path = chosen or next((each for each in SEARCHED if each.is_file()), None)
    problems: list[Problem] = []
    settings = DaemonSettings(file=path)
    if path is not None:
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise ConfigError([Problem(str(path), 0, 0, "", f"can not be read: {error.strerror}")]) from None
        file = read_yaml(str(path), data)
        settings = _of_file(file, path, said)
        problems += [replace(problem, source="") for problem in file.problems]
    for variable in VARIABLES:
        if variable.put and variable.name in said:
            try:
                settings = variable.put(settings, said[variable.name])
            except BadValue as error:
                problems.append(_place(variable.name, str(error)))
    switches, wrong = switch_links.over(settings.switches, said, _host_and_port, CLIENTS)
    settings, problems = replace(settings, switches=switches), [*problems, *wrong]
    if "FS_DIALER_ESL_PASSWORD" in said and "FS_DIALER_ESL_PASSWORD_FILE" in said:
        problems.append(_place("FS_DIALER_ESL_PASSWORD", "FS_DIALER_ESL_PASSWORD_FILE is set as well: keep one"))
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column, problem.path)))
    return settings


def _of_file(file: YamlFile, path: Path, environ: Mapping[str, str]) -> DaemonSettings:
    """What the file says; problems are in `file.problems`, and defaults stand in."""
    if file.root is None:
        return DaemonSettings(file=path)
    form = Form(file)
    filled, _ = form.fill(DaemonSettings, file.root, beside=("switches",))
    switches = switch_links.links(form, file.root.entries.get("switches"), EslSettings, path, environ)
    settings = DaemonSettings(file=path, switches=switches, **{name: value for name, value in filled.items() if value is not MISSING})
    dsn, password = (_secret(form, each, path, environ, settings) for each in ("database.dsn", "esl.password"))
    for where, link in (("esl", settings.esl), *((f"switches.{name}", each) for name, each in switches.items())):
        if form.place(f"{where}.host") and not _HOST.fullmatch(link.host):
            form.tell(f"{where}.host", "is not a host's name or address")
    if form.place("http") and (wrong := http_settings.judged(settings.http)):
        form.tell(*wrong)
    return replace(settings, database=replace(settings.database, dsn=dsn), esl=replace(settings.esl, password=password))


def _secret(form: Form, setting: str, path: Path, environ: Mapping[str, str], settings: DaemonSettings) -> Secret | None:
    group, _, key = setting.partition(".")
    text, node = getattr(getattr(settings, group), key), form.place(setting)
    if not text or node is None:
        return None
    place = form.file.problem(node, setting, "")
    if REFERENCE.fullmatch(text):
        return Secret(text, place, base=path.parent, environ=environ)
    if key == "password" or has_password(text):
        form.tell(setting, "a password does not belong in this file: write env:NAME or file:PATH, and put it there")
        return None
    return Secret(str(path), place, text=text)


def _place(variable: str, text: str = "") -> Problem:
    return Problem("environment", 0, 0, variable, text)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment; `put` lays it over the settings (None: it is used elsewhere)."""

    name: str
    help: str
    put: Callable[[DaemonSettings, str], DaemonSettings] | None = None


def _over(settings: DaemonSettings, group: str, **values: Any) -> DaemonSettings:
    return replace(settings, **{group: replace(getattr(settings, group), **values)})


def _address(settings: DaemonSettings, text: str) -> DaemonSettings:
    host, port = _host_and_port(text, settings.esl.port)
    return _over(settings, "esl", host=host, port=port)


def _host_and_port(text: str, usual: int) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    host, port = ((found[1] or found[2]), int(found[3] or usual)) if found else ("", 0)
    if not _HOST.fullmatch(host) or not 1 <= port <= 65535:
        raise BadValue(f"`{text}` is not host:port, as in 127.0.0.1:8021 or [::1]:8021")
    return host, port


def _word(group: str, key: str, choices: tuple[str, ...]) -> Callable[[DaemonSettings, str], DaemonSettings]:
    def put(settings: DaemonSettings, text: str) -> DaemonSettings:
        if text.lower() not in choices:
            raise BadValue(f"`{text}` is none of {', '.join(choices)}")
        return _over(settings, group, **{key: text.lower()})

    return put


def _keep(settings: DaemonSettings, text: str) -> DaemonSettings:
    keep_s = duration(text)
    within(declared(JournalSettings)["keep"], keep_s)
    return _over(settings, "journal", keep_s=keep_s)


def _listen(settings: DaemonSettings, text: str) -> DaemonSettings:
    changed = _over(settings, "http", listen=text)
    if wrong := http_settings.judged(changed.http):
        raise BadValue(wrong[1])
    return changed


def _held(group: str, key: str, name: str, *, in_file: bool = False) -> Callable[[DaemonSettings, str], DaemonSettings]:
    def put(settings: DaemonSettings, text: str) -> DaemonSettings:
        secret = Secret(f"file:{text}", _place(name)) if in_file else Secret(name, _place(name), text=text)
        return _over(settings, group, **{key: secret})

    return put


VARIABLES: tuple[Variable, ...] = (
    Variable("FS_DIALER_CONFIG", "where fs-dialer.yml is"),
    Variable("FS_DIALER_DSN", "database.dsn; may hold a password", _held("database", "dsn", "FS_DIALER_DSN")),
    Variable("FS_DIALER_ESL", "esl.host and esl.port, as host:port", _address),
    Variable("FS_DIALER_ESL_PASSWORD", "the event socket's password itself", _held("esl", "password", "FS_DIALER_ESL_PASSWORD")),
    Variable("FS_DIALER_ESL_PASSWORD_FILE", "the file that holds it", _held("esl", "password", "FS_DIALER_ESL_PASSWORD_FILE", in_file=True)),
    Variable("FS_DIALER_ESL_CLIENT", "esl.client", _word("esl", "client", CLIENTS)),
    Variable("FS_DIALER_SWITCH_NAME", "host and port of switches.NAME, in capitals; so too …_PASSWORD, …_PASSWORD_FILE, …_CLIENT"),
    Variable("FS_DIALER_STATE_DIR", "state_dir", lambda settings, text: replace(settings, state_dir=text)),
    Variable("FS_DIALER_RECORDINGS_DIR", "recordings_dir", lambda settings, text: replace(settings, recordings_dir=text)),
    Variable("FS_DIALER_LOG_LEVEL", "log.level", _word("log", "level", LEVELS)),
    Variable("FS_DIALER_JOURNAL_DIR", "journal.dir", lambda settings, text: _over(settings, "journal", dir=text)),
    Variable("FS_DIALER_JOURNAL_KEEP", "journal.keep", _keep),
    Variable("FS_DIALER_HTTP_LISTEN", "http.listen", _listen),
)
"""Every variable we read, and the setting it goes over."""
