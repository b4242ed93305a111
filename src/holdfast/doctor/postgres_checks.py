"""PostgreSQL: the record of what is owed and what was paid."""

from urllib.parse import parse_qs, urlsplit

from holdfast.doctor.lines import Line, fail, ok, warn
from holdfast.doctor.stamps import BackupFacts
from holdfast.doctor.words import is_local, span
from holdfast.store import DatabaseFacts, Pooler

OLDEST, TENDED = 13_00_00, 14_00_00  # the oldest that works; the oldest that still got mended when this was written
CROWDED, FULL = 0.8, 0.95  # shares of max_connections
MIGRATE = "holdfast serve  # or `holdfast worker`: each brings the tables up to date before anything else"


def version(facts: DatabaseFacts) -> Line:
    """Whether it is new enough, and takes writes."""
    figure = f"PostgreSQL {facts.version.split(' ', maxsplit=1)[0]}"
    upgrade = "pg_upgrade --help  # to a supported major version; PostgreSQL's own guide is short"
    if facts.version_number < OLDEST:
        return fail("postgresql version", f"{figure}: 13 or newer is needed", upgrade)
    if facts.version_number < TENDED:
        return warn("postgresql version", f"{figure}: no longer mended by its makers", upgrade)
    return ok("postgresql version", figure)


def answers(facts: DatabaseFacts) -> Line:
    """It answers; a replica or a read-only one is of no use."""
    if facts.is_replica or facts.is_read_only:
        kind = "a replica" if facts.is_replica else "read-only"
        return fail(
            "postgresql", f"answers, but is {kind}", "DATABASE_URL=postgresql://user:<password>@<the primary>/db"
        )
    return ok("postgresql", "answers")


def migrations(facts: DatabaseFacts) -> Line:
    """Whether the tables are those of this Holdfast."""
    match facts.schema:
        case "current":
            return ok("migrations", f"at {facts.revision}, the newest")
        case "missing":
            return fail("migrations", "no tables yet", MIGRATE)
        case "older":
            return fail("migrations", f"at {facts.revision}, this Holdfast needs {facts.head}", MIGRATE)
        case "unknown":
            figure = f"at {facts.revision}, which this Holdfast does not know: a newer one was here"
            return fail("migrations", figure, 'pip install -U "holdfast[app]"')


def row_security(facts: DatabaseFacts) -> Line:
    """Without it a Supabase project shows the answers through its public REST API."""
    if facts.schema == "missing":
        return warn("row security", "no tables yet", MIGRATE)
    if facts.unsecured:
        fix = "; ".join(f'ALTER TABLE holdfast."{name}" ENABLE ROW LEVEL SECURITY' for name in facts.unsecured)
        shown = ", ".join(facts.unsecured[:5])
        return fail("row security", f"off on {len(facts.unsecured)} of {facts.tables} tables: {shown}", f"{fix};")
    return ok("row security", f"on for all {facts.tables} tables")


def synchronous_commit(facts: DatabaseFacts) -> Line:
    """Whether a commit is on the disk when we are told so: a reply that was paid for must be."""
    for name in ("fsync", "full_page_writes"):
        if getattr(facts, name) == "off":
            fix = f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"
            return fail("synchronous commit", f"{name} off: a power cut may break the whole database", fix)
    if facts.synchronous_commit == "off":
        fix = "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();  -- and for the role, if set there"
        return fail("synchronous commit", "off: a crash may lose replies that were paid for", fix)
    return ok("synchronous commit", f"{facts.synchronous_commit}, fsync {facts.fsync}")


def pooler(mode: Pooler, url: str) -> Line:
    """What stands between; a transaction pooler breaks prepared statements."""
    if mode == "none":
        return ok("pooler", "none, a direct connection")
    if mode == "session":
        return ok("pooler", "a pooler in session mode, as far as it shows")
    parts = urlsplit(url)
    if parts.port == 6543 or "pgbouncer" in parse_qs(parts.query, keep_blank_values=True):
        return ok("pooler", "a pooler in transaction mode; no prepared statements are used")
    fix = "DATABASE_URL=postgresql://user:<password>@host:6543/db  # the pooler's own port, so that none are prepared"
    return fail("pooler", "a pooler in transaction mode, and statements are prepared: they get lost", fix)


def connections(facts: DatabaseFacts) -> Line:
    """Whether there is room for one more worker."""
    share = facts.connections / facts.max_connections
    figure = f"{facts.connections} of {facts.max_connections} used"
    more = f"ALTER SYSTEM SET max_connections = {facts.max_connections * 2};  -- and restart it; or use a pooler"
    if share >= FULL:
        return fail("postgresql connections", figure, more)
    return warn("postgresql connections", figure, more) if share >= CROWDED else ok("postgresql connections", figure)


def encryption(facts: DatabaseFacts, host: str) -> Line:
    """Answers and replies go over this connection."""
    if is_local(host):
        return ok("postgresql encryption", "not needed: it is on this machine")
    if facts.is_encrypted:
        return ok("postgresql encryption", "TLS")
    fix = "DATABASE_URL=postgresql://user:<password>@host/db?ssl=require"
    return warn("postgresql encryption", "no TLS: answers can be read on the way", fix)


def backup(facts: DatabaseFacts, known: BackupFacts) -> Line:
    """A backup is known by the archive of its WAL, or by the stamp of whoever made it."""
    archived, failed = facts.archived_ago, facts.archive_failed_ago
    if facts.archive_mode != "off" and failed is not None and (archived is None or failed < archived):
        fix = "SELECT * FROM pg_stat_archiver;  -- then mend archive_command: WAL piles up until it works"
        return fail("postgresql backup", f"archiving its WAL failed {span(failed)} ago", fix)
    told = {"a backup": known.stamped, "WAL archived": archived if facts.archive_mode != "off" else None}
    ages = {what: age for what, age in told.items() if age is not None}
    fix = known.fix("postgresql", f'pg_dump "$DATABASE_URL" -Fc -f {known.stamps}/holdfast.dump')
    if not ages:
        return warn("postgresql backup", "unknown", fix)
    what, age = min(ages.items(), key=lambda pair: pair[1])
    figure = f"{what} {span(age)} ago"
    return ok("postgresql backup", figure) if age <= known.most else warn("postgresql backup", figure, fix)
