"""What the switch must be given, as files: gathered from the database, or from definition files with --from.

Knows which flows a call may meet: those of the definitions, and of every campaign that is not over, both at the revision that dials and at the newest, which
an approval may put in its place at any moment. Where the files go is switch_folder.py's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.settings import Session
from fs_dialer.config.library import read_things, references, resolve
from fs_dialer.config.load import with_companions
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.flow import Ivr, extension
from fs_dialer.core.model import CampaignState
from fs_dialer.core.plan import CAMPAIGN, INSTALLATION
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.dialplans.files import switch_files
from fs_dialer.dialplans.inspection import faults
from fs_dialer.dialplans.manifest import SCRIPTS, Chosen
from fs_dialer.dialplans.old_flows import with_old
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.errors import EslUnsafe, FsDialerError
from fs_dialer.modes.autocall import Options
from fs_dialer.paths import conf_dir

IVRS, QUEUES = "ivrs", "queues"
CONCERNED = frozenset({IVRS, QUEUES, "sounds", "dnc_lists", "agents", "teams", INSTALLATION})
SCRIPT = f"{SCRIPTS}fsd.lua"


@dataclass(frozen=True, slots=True)
class Contents:
    """`ivrs`: each flow once, by its name in the switch; `used_by`: the campaigns, by that name."""

    ivrs: tuple[Ivr, ...]
    queues: tuple[QueueDefinition, ...]
    installation: Installation | None
    used_by: Mapping[str, tuple[str, ...]]
    detectors: tuple[str, ...] = ()  # of answering machines, as far as campaigns are known


@dataclass(frozen=True, slots=True)
class Files:
    """`texts`: path → bytes. `old`: flows and queues that stay because calls are in them."""

    texts: Mapping[str, bytes]
    old: tuple[str, ...] = ()


def contents(session: Session, paths: Sequence[Path]) -> Contents:
    """ConfigError with every problem of the files."""
    return _of_files(paths) if paths else _of_database(session)


def switch_options(session: Session, installation: Installation | None, chosen: Chosen | None = None) -> SwitchOptions:
    """The one place where settings become what the dialplan is made with."""
    chosen = chosen or Chosen()
    gateways = installation.gateways if installation is not None else ()
    return SwitchOptions(str(session.settings().recordings()), chosen.notice, chosen.music, chosen.release_after_s, gateways)


def rendered(session: Session, wanted: Contents, chosen: Chosen, *, script: bool) -> Files:
    """The files, each looked through. CommandFailed where one must not be given to a switch."""
    try:
        texts = switch_files(wanted.ivrs, wanted.queues, switch_options(session, wanted.installation, chosen))
    except EslUnsafe as error:
        advice = "change the definition and apply it; docs/ivr.md and docs/queues.md say what a value may hold"
        raise CommandFailed(f"the dialplan can not be made: {error}", advice, "nothing was written", code=Exit.REFUSED) from None
    files = {path: _looked_through(path, text).encode() for path, text in texts.items()}
    if script:
        files[SCRIPT] = (conf_dir() / "freeswitch" / SCRIPT).read_bytes()
    return Files(files)


def with_callers(files: Files, installed: Mapping[str, bytes], has_callers: Callable[[str], bool]) -> Files:
    """The same with what is installed and still has callers (`installed`: only files that nobody changed)."""
    texts, old = dict(files.texts), list[str]()
    for path, data in installed.items():
        if path in texts and path.endswith(".xml"):
            text, stay = with_old(path, texts[path].decode(), data.decode("utf-8", "replace"), has_callers)
            texts[path] = _looked_through(path, text).encode()
            old += stay
    return replace(files, texts=texts, old=tuple(old))


def _looked_through(path: str, text: str) -> str:
    if wrong := faults(text):
        advice = "this is a bug of fs-dialer, please report it with this line; nothing was written"
        raise CommandFailed(f"{path} must not be given to a switch: {wrong[0]}", advice, code=Exit.REFUSED)
    return text


# --- where it comes from --------------------------------------------------------------------------------------------------------------------


def _of_files(paths: Sequence[Path]) -> Contents:
    """A mistake in a campaign does not keep its flow from being rendered."""
    things, _ = read_things(with_companions(paths))
    library = resolve([thing for thing in things if thing.kind in CONCERNED])
    ivrs = {name: value for (kind, name), value in library.named.items() if kind == IVRS}
    queues = [value for (kind, _), value in library.named.items() if kind == QUEUES]
    users = [(thing.name, ivrs[name]) for thing in things if thing.kind == CAMPAIGN for kind, name in references(thing) if kind == IVRS and name in ivrs]
    return _gathered(ivrs.values(), queues, library.installation, users)


def _of_database(session: Session) -> Contents:
    from fs_dialer.db.postgres import PostgresStore  # psycopg2 no sooner than it is needed

    with session.office() as office, closing(PostgresStore(session.settings().dsn(), pool_size=1, application="fs-dialer command")) as store:
        standing = office.world().standing.values()
        dialling = [each.campaign for each in store.campaigns() if each.state is not CampaignState.ENDED]
        newest = [each.value for each in standing if each.kind == CAMPAIGN and not each.is_over and isinstance(each.value, Campaign)]
        defined = [each.value for each in standing if each.kind == IVRS and isinstance(each.value, Ivr)]
        unread = [f"{each.kind} {each.name}" for each in standing if each.value is None and each.kind in (IVRS, QUEUES)]
        if unread:
            raise FsDialerError(f"this fs-dialer can not read {', '.join(unread)} as stored: apply it anew, or use the fs-dialer that stored it")
        known = any(each.kind == INSTALLATION for each in standing)
        users = [(str(each.id), each.options.ivr) for each in (*dialling, *newest) if isinstance(each.options, Options)]
        found = _gathered(defined, store.queues(), store.installation() if known else None, users)
        detectors = {each.options.machines.detect for each in (*dialling, *newest) if isinstance(each.options, Options)} - {"off"}
        return replace(found, detectors=tuple(sorted(detectors)))


def _gathered(defined: Iterable[Ivr], queues: Iterable[QueueDefinition], installation: Installation | None, users: Iterable[tuple[str, Ivr]]) -> Contents:
    """`users`: campaigns, each with a flow that it has."""
    found = {extension(ivr): ivr for ivr in defined}
    used: dict[str, tuple[str, ...]] = {}
    for campaign, ivr in users:
        name = extension(ivr)
        found[name] = ivr
        used[name] = tuple(dict.fromkeys((*used.get(name, ()), campaign)))
    return Contents(tuple(found[name] for name in sorted(found)), tuple(sorted(queues, key=lambda each: each.name)), installation, used)
