"""Between here and the servers: who may come in, who may listen, how far it is, whose clock is wrong."""

from collections.abc import Sequence
from datetime import timedelta

from holdfast.doctor.lines import Line, Name, fail, ok, warn
from holdfast.doctor.words import is_local, milliseconds, percentile, span
from holdfast.queue import LinkFacts, ServerFacts

SLOW, STUCK = 0.005, 0.05  # seconds: p50 and p99 from which on a queue is slow
SKEWED, WRONG = 0.5, 30.0  # seconds a clock may be off until delays are, and until times are nonsense
EXACT = 0.001  # seconds; the round trip says no more
PATIENT = 30.0  # seconds a request should not wait for Redis
JUST_STARTED = timedelta(hours=1)
LOCK_UP = (
    "redis-cli CONFIG SET requirepass '<password>' && redis-cli -a '<password>' CONFIG REWRITE"
    "  # and REDIS_URL=redis://:<password>@host:6379/0"
)
SET_CLOCK = "sudo timedatectl set-ntp true  # on both machines"


def access(facts: ServerFacts, link: LinkFacts) -> Line:
    """Whether somebody without a password is let in."""
    if facts.admits_strangers is None:
        return warn("redis access", "unknown: a connection without a password got no answer", LOCK_UP)
    if not facts.admits_strangers:
        return ok("redis access", "a password is needed")
    if all(map(is_local, link.hosts)):
        return warn("redis access", "no password: every program of this machine may change jobs", LOCK_UP)
    return fail("redis access", "no password: whoever reaches it may read and change jobs", LOCK_UP)


def encryption(link: LinkFacts) -> Line:
    """Whether what goes to Redis can be listened to."""
    if all(map(is_local, link.hosts)):
        return ok("redis encryption", "not needed: it is on this machine")
    if link.tls:
        return ok("redis encryption", "TLS")
    fix = "REDIS_URL=rediss://:<password>@host:6379/0?ssl_ca_certs=/etc/redis/ca.crt  # and tls-port in redis.conf"
    return warn("redis encryption", "no TLS: the password and the ids of jobs can be read on the way", fix)


def latency(name: Name, pings: Sequence[float]) -> Line:
    """How long an answer takes."""
    p50, p99 = percentile(pings, 0.5), percentile(pings, 0.99)
    figure = f"p50 {milliseconds(p50)}, p99 {milliseconds(p99)} of {len(pings)} round trips"
    if p50 < SLOW and p99 < STUCK:
        return ok(name, figure)
    server = name.split(" ", maxsplit=1)[0]
    look = "redis-cli --latency" if server == "redis" else "ping -c 20 <host>"
    return warn(name, figure, f"{look}  # far away? run the workers beside it; near? its machine or disk is overloaded")


def clock(name: Name, skew: float) -> Line:
    """Whether the server's clock is ours: delays, ages and months of budgets are counted by both."""
    ahead = "ahead of" if skew > 0 else "behind"
    figure = f"{milliseconds(abs(skew))} {ahead} ours" if abs(skew) >= EXACT else "as ours, to the millisecond"
    if abs(skew) >= WRONG:
        return fail(name, figure, SET_CLOCK)
    return warn(name, figure, SET_CLOCK) if abs(skew) >= SKEWED else ok(name, figure)


def reconnects(facts: ServerFacts, link: LinkFacts, *, embedded: bool) -> Line:
    """How often the connection was lost in the last hour, as far as it shows."""
    told = [f"{link.reconnects} by this process"]
    if link.young_workers is not None:
        told.append(f"{link.young_workers} by workers that are connected")
    restarted = facts.uptime is not None and facts.uptime < JUST_STARTED and not embedded
    if restarted and facts.uptime is not None:
        told.append(f"Redis itself started {span(facts.uptime)} ago")
    figure = "in the last hour: " + ", ".join(told)
    if link.reconnects or link.young_workers or restarted:
        fix = "redis-cli INFO server | grep uptime  # restarted? else look for a proxy that cuts idle ones"
        return warn("redis reconnects", figure, fix)
    if link.young_workers is None:
        fix = "redis-cli ACL SETUSER <user> '+client|list'  # or watch holdfast_reconnects_total at /metrics"
        return warn("redis reconnects", f"{figure}; of workers unknown", fix)
    return ok("redis reconnects", figure)


def reconnecting(link: LinkFacts) -> Line:
    """What is done when Redis is away."""
    figure = (
        f"again after min(n x {milliseconds(link.retry_step)}, {span(timedelta(seconds=link.retry_cap))}), for ever; "
        f"requests wait {link.max_wait:g} s at most"
    )
    if link.max_wait <= PATIENT:
        return ok("reconnect settings", figure)
    return warn("reconnect settings", figure, f"Queue(…, max_wait={PATIENT:g})  # or less")
