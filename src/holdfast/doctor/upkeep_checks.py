"""Around the servers: who watches, what is free, what models cost, which versions these are."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from holdfast.doctor.lines import Line, fail, ok, warn
from holdfast.doctor.words import size, span

SCRAPED = timedelta(minutes=5)  # Prometheus comes every minute or more often
LITTLE, TOO_LITTLE = 2 * 1024**3, 256 * 1024**2  # bytes free on the disk of the embedded servers


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of the providers; never a key."""

    keys: Mapping[str, bool]  # by provider: whether there is a key
    unusable: Mapping[str, str]  # models in use -> why no client of theirs can be opened
    unpriced: Mapping[str, str]  # models in use -> what would give them a price
    in_use: tuple[str, ...]  # models of generations under way or made lately; `offline` is none


def metrics(scraped: timedelta | None) -> Line:
    """Whether somebody reads the figures."""
    fix = "scrape_configs: [{job_name: holdfast, static_configs: [{targets: ['127.0.0.1:3001']}]}]  # prometheus.yml"
    if scraped is None:
        return warn("metrics", "nobody has read /metrics yet, as far as it is known", fix)
    figure = f"/metrics was read {span(scraped)} ago"
    return ok("metrics", figure) if scraped <= SCRAPED else warn("metrics", figure, fix)


def alerts(declared: bool) -> Line:
    """Only the operator knows whether somebody is told; the setting says so."""
    if declared:
        return ok("alerts", "set up, says HOLDFAST_ALERTS")
    fix = "HOLDFAST_ALERTS=true  # once Prometheus has alert rules for Holdfast and a person gets them"
    return warn("alerts", "unknown: nothing here can see whether a person is told", fix)


def disk(free: int, total: int, folder: str) -> Line:
    """The disk of the embedded servers: what cannot be written cannot be recorded."""
    figure = f"{size(free)} free of {size(total)} in {folder}"
    fix = f"df -h '{folder}'  # free some space, or set HOLDFAST_HOME to a folder on another disk"
    if free < TOO_LITTLE:
        return fail("disk", figure, fix)
    return warn("disk", figure, fix) if free < LITTLE else ok("disk", figure)


def provider_keys(facts: ModelFacts) -> Line:
    """Whether the models in use can be called."""
    there = ", ".join(f"{provider} {'set' if is_set else 'not set'}" for provider, is_set in facts.keys.items())
    if not facts.unusable:
        used = f"enough for {', '.join(facts.in_use)}" if facts.in_use else "no paid model is in use"
        return ok("provider keys", f"{there}; {used}")
    model, why = next(iter(facts.unusable.items()))
    variable = f"{model.partition(':')[0].upper()}_API_KEY"
    return fail("provider keys", f"{there}; {model} is in use: {why}", f"export {variable}=<key>")


def prices(facts: ModelFacts) -> Line:
    """Nothing is called whose price nobody knows."""
    if facts.unpriced:
        model = next(iter(facts.unpriced))
        fix = f"""HOLDFAST_PRICES='{{"{model}": {{"input": "<USD>", "output": "<USD>"}}}}'  # a million tokens"""
        return fail("prices", f"not known for {', '.join(facts.unpriced)}: they are not called", fix)
    return ok("prices", f"known for {', '.join(facts.in_use)}" if facts.in_use else "no paid model is in use")


def versions(holdfast: str) -> Line:
    """For whoever is asked for help."""
    return ok("versions", f"Holdfast {holdfast}, Python {platform.python_version()}")
