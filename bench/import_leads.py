"""What it costs to import leads: a million-row CSV and a workbook through the whole command, against bare COPY of the same rows.

The command runs as a user runs it, in processes of its own: it reads, judges every row (3 % are bad), and stores contacts, numbers and leads in one transaction
in the embedded PostgreSQL, with fsync as in production. The floor is the plainest there is: one COPY of the very same good rows, with the columns of contact
and lead, into a table without an index, a constraint or a key. Memory is that of the command's processes together, not of the server. While a further list is
imported, a daemon's store claims leads: how long one had to wait is a figure too.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import psycopg2

from fs_dialer.config.lead_file import open_leads
from fs_dialer.config.leads_rows import GoodRow
from fs_dialer.config.leads_xlsx import Workbook, write_sheet
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignId, CampaignState, CampaignType
from fs_dialer.core.resources import CallerIds
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.import_lines import line_of
from fs_dialer.db.migrate import migrate
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.modes import progressive

TITLE = "leads imported per second from CSV and XLSX, against bare COPY; memory; how long a claim waits meanwhile"

CSV_ROWS, XLSX_ROWS, BESIDE_ROWS = 1_000_000, 100_000, 200_000
BAD = ("12", "8.49124E+10", "no number", "0912345")
BAD_SHARE, SECOND_NUMBER_SHARE = 0.03, 0.1
HEADER = ("phone", "phone2", "name", "city", "plan", "balance", "contract", "note")
CITIES = ("Hanoi", "Hue", "Da Nang", "Can Tho", "Sài Gòn")
REGION = "VN"
SPRING, AUTUMN = CampaignId("spring"), CampaignId("autumn")
CLAIMED = 100  # leads that a claim asks for
ZONE = "Asia/Ho_Chi_Minh"  # what the lists' numbers say
POLL_S = 0.05
ROOT = Path(__file__).resolve().parents[1]
PREFIXES = {"csv": "+8491", "xlsx": "+8490", "beside": "+8493"}  # no list has a number of another
BARE = """CREATE TABLE bare (
    place bigint, number text, zone_set text, has_own_zone boolean, name text, attributes jsonb, owner text, ready_at timestamptz, further jsonb, copy integer,
    twice boolean, campaign text, contact bigint, status text, position bigint)"""
OF_A_LEAD = "\tspring\t%d\tnew\t%d\n"


def run(rows: int = CSV_ROWS, sheet_rows: int = XLSX_ROWS, beside_rows: int = BESIDE_ROWS) -> dict[str, float | None]:
    """Figures. Takes about four minutes."""
    with tempfile.TemporaryDirectory(prefix="fs-dialer-bench-") as folder, EmbeddedPostgres() as server:
        migrate(server.dsn)
        files = {name: Path(folder) / name for name in ("leads.csv", "leads.xlsx", "beside.csv")}
        _write_csv(files["leads.csv"], rows, PREFIXES["csv"])
        write_sheet(files["leads.xlsx"], HEADER, _rows(sheet_rows, PREFIXES["xlsx"]), Workbook())
        _write_csv(files["beside.csv"], beside_rows, PREFIXES["beside"])
        with closing(Backoffice(server.dsn)) as office, closing(PostgresStore(server.dsn)) as store:
            _define(office, store)
            prepared = Path(folder) / "bare.copy"
            good = _prepare(files["leads.csv"], prepared)
            floor = [_bare_s(server.dsn, prepared)]
            loaded = _command(server.dsn, files["leads.csv"])
            if loaded.new != good:
                raise RuntimeError(f"{loaded.new:,} of {good:,} good rows became leads")
            floor.append(_bare_s(server.dsn, prepared))
            sheet = _command(server.dsn, files["leads.xlsx"])
            floor.append(_bare_s(server.dsn, prepared))
            waits = _claims_beside(store, lambda: _command(server.dsn, files["beside.csv"], AUTUMN))
    bare_s = statistics.median(floor)
    return {
        "rows_per_s": round(rows / loaded.seconds),
        "csv_over_copy": round(loaded.seconds / bare_s, 1),
        "peak_rss_mb": round(max(loaded.peak_mb, sheet.peak_mb)),
        "xlsx_rows_per_s": round(sheet_rows / sheet.seconds),
        "cores_used": round(loaded.cpu_s / loaded.seconds, 2),
        "csv_s": round(loaded.seconds, 1),
        "bare_copy_s": round(bare_s, 2),
        "csv_peak_rss_mb": round(loaded.peak_mb),
        "xlsx_peak_rss_mb": round(sheet.peak_mb),
        "claim_ms_beside": round(1000 * statistics.median(waits), 1),
        "claim_ms_beside_worst": round(1000 * max(waits), 1),
        "rows": rows,
    }


def table(figures: dict[str, float | None]) -> str:
    """For people."""
    return "\n".join(
        [
            f"CSV of {figures['rows']:,} rows:  {figures['csv_s']} s, {figures['rows_per_s']:,} rows/s",
            f"bare COPY of them:       {figures['bare_copy_s']} s; the import takes {figures['csv_over_copy']} times that (aim: at most 20)",
            f"XLSX:                    {figures['xlsx_rows_per_s']:,} rows/s",
            f"memory, all processes:   {figures['peak_rss_mb']} MB (aim: at most 300); CSV {figures['csv_peak_rss_mb']}, XLSX {figures['xlsx_peak_rss_mb']}",
            f"cores used, server too:  {figures['cores_used']}",
            f"a claim meanwhile:       {figures['claim_ms_beside']} ms, the longest {figures['claim_ms_beside_worst']} ms",
        ]
    )


# --- files ----------------------------------------------------------------------------------------------------------------------------


def _rows(count: int, prefix: str) -> Iterator[list[str]]:
    chance = random.Random(3)
    for place in range(count):
        shuffled = place * 7919 % 10_000_000  # a list is in no order of numbers
        phone = chance.choice(BAD) if chance.random() < BAD_SHARE else f"{prefix}{shuffled:07d}"
        second = f"+84283{shuffled:07d}" if chance.random() < SECOND_NUMBER_SHARE else ""
        yield [phone, second, f"Customer {place}", CITIES[place % 5], "gold", f"{place * 3 % 1000}.50", f"C-{place}", f"some words about customer {place}"]


def _write_csv(path: Path, count: int, prefix: str) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write(",".join(HEADER) + "\n")
        stream.writelines(",".join(row) + "\n" for row in _rows(count, prefix))


# --- the floor ------------------------------------------------------------------------------------------------------------------------


def _prepare(file: Path, prepared: Path) -> int:
    """The good rows of a list as COPY's text, contact and lead in one; how many there are."""
    good = 0
    with prepared.open("wb") as stream, open_leads(file, region=REGION) as leads:
        for row in leads.rows():
            if isinstance(row, GoodRow):
                good += 1
                stream.write(line_of(row)[:-1] + (OF_A_LEAD % (good, good)).encode())
    return good


def _bare_s(dsn: str, prepared: Path) -> float:
    """Seconds that a COPY takes whose text lies ready, its commit included. Asked before and after the import: other work on the machine falls on both."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(BARE)
        connection.commit()
        began = time.perf_counter()
        with prepared.open("rb") as lines:
            cursor.copy_expert("COPY bare FROM STDIN", lines, size=1 << 20)
        connection.commit()
        taken_s = time.perf_counter() - began
        cursor.execute("DROP TABLE bare")
        connection.commit()
        connection.autocommit = True
        cursor.execute("CHECKPOINT")
    return taken_s


# --- the command ----------------------------------------------------------------------------------------------------------------------


class _Watched:
    """A command and the processes that it starts, seen from outside."""

    def __init__(self, dsn: str, file: Path, campaign: CampaignId) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("FS_DIALER_")}
        command = [sys.executable, "-m", "fs_dialer", "lead", "import", str(file), "--campaign", campaign, "--region", REGION, "--progress", "none", "--json"]
        self.peak_mb = self.cpu_s = 0.0
        server_before = _server_cpu_s(dsn)
        began = time.perf_counter()
        process = subprocess.Popen(command, env={**environ, "FS_DIALER_DSN": dsn}, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, ended), daemon=True)
        watcher.start()
        before = os.times()
        out, errors = process.communicate()
        self.seconds = time.perf_counter() - began
        after = os.times()
        ended.set()
        watcher.join()
        if process.returncode:
            raise RuntimeError(f"the command failed: {errors}")
        self.cpu_s = after.children_user + after.children_system - before.children_user - before.children_system + _server_cpu_s(dsn) - server_before
        self.new = int(json.loads(out)["new"])

    def _watch(self, pid: int, ended: threading.Event) -> None:
        while not ended.wait(POLL_S):
            self.peak_mb = max(self.peak_mb, sum(_rss_mb(each) for each in _with_children(pid)))


def _command(dsn: str, file: Path, campaign: CampaignId = SPRING) -> _Watched:
    return _Watched(dsn, file, campaign)


def _with_children(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _with_children(int(child))
    return found


def _rss_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def _server_cpu_s(dsn: str) -> float:
    """What the server's processes have used so far, those that have ended too."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_read_file('postmaster.pid')")
        ((text,),) = cursor.fetchall()
    postmaster = int(text.split("\n", 1)[0])
    used = 0
    for pid in _with_children(postmaster):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            used += sum(map(int, fields[11:15] if pid == postmaster else fields[11:13]))
    return used / os.sysconf("SC_CLK_TCK")


# --- beside a daemon ------------------------------------------------------------------------------------------------------------------


def _define(office: Backoffice, store: PostgresStore) -> None:
    if store.take_epoch("bench") is None:
        raise RuntimeError("somebody else is the active daemon of a database that was just made")
    for name in (SPRING, AUTUMN):
        definition = Campaign(id=name, type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+84910000000",)), options=progressive.Options())
        office.apply_definitions([definition], [], None, "bench")
        store.set_campaign_state(name, 1, CampaignState.RUNNING, True, "", "bench")


def _claims_beside(store: PostgresStore, importing: Callable[[], object]) -> list[float]:
    """Seconds of every claim while the import runs. The campaign has no lead that is ready, so that each claim looks at all those that are coming."""
    with ThreadPoolExecutor(1) as lane:
        import_ = lane.submit(importing)
        taken = []
        while not import_.done():
            began = time.perf_counter()
            if store.claim_leads(AUTUMN, CLAIMED, [(ZONE,)], time.time()).leads and not import_.done():
                break  # it has committed
            taken.append(time.perf_counter() - began)
            wait([import_], POLL_S)
        import_.result()
    return taken
