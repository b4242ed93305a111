"""The rows of the quality benchmark as the README shows them."""

from codeframe_driver.catalogue import BY_NAME, PEERS
from queue_driver import readme
from queue_driver.rows import Row, select

HEAD = ("", "ARI", "ACC", "macro-F1", "harmonic purity", "codes / human", "unassigned", "shuffled", "s", "MB")


def report(results: Row) -> str:
    """One table a set, in the peers' order; below each what its rows cannot show."""
    about, rows = results["machine"], results["rows"]
    told = f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}"
    head = (
        f"{told}; commit {about['commit']}; {about['date']}; load average before: {about['load_before']}, "
        f"highest in between: {max((row.get('load', 0.0) for row in rows), default=0.0):.1f}. {_versions(about)}"
    )
    return "\n\n".join([head, *(_of_set(name, rows) for name in dict.fromkeys(row["set"] for row in rows))])


def _versions(about: Row) -> str:
    shown = ("scikit-learn", "umap-learn", "hdbscan", "bertopic", "evoc")
    found = {name: version for each in about["packages"].values() for name, version in each.items() if name in shown}
    return ", ".join(f"{name} {found[name]}" for name in shown if name in found) + "."


def _of_set(name: str, rows: list[Row]) -> str:
    mine = [row for peer in PEERS for row in select(rows, set=name, peer=peer.name)]
    answers, surveys = mine[0]["answers"], mine[0].get("surveys", 1)
    size = f"{answers:,} answers" + (f" in {surveys} surveys, means over them" if surveys > 1 else "")
    codes = f"{mine[0]['human_codes']:.3g} human codes" + (" a survey" if surveys > 1 else "")
    parts = [f"### {name}: {size}, {codes}", readme.table(HEAD, [_cells(row) for row in mine])]
    notes = [
        f"{BY_NAME[row['peer']].title} could not do {row['failed']} of the surveys, which are left out of its means: "
        f"`{row['first_failure']}`"
        for row in mine
        if row.get("failed")
    ]
    notes += [f"{BY_NAME[row['peer']].title}: `{row['error']}`" for row in mine if "error" in row]
    return "\n\n".join([*parts, *notes])


def _cells(row: Row) -> list[str]:
    title = BY_NAME[row["peer"]].title
    if "error" in row:
        return [title, "error", *[readme.NOTHING] * (len(HEAD) - 2)]
    return [
        title,
        *(f"{row[figure]:.3f}" for figure in ("ari", "acc", "macro_f1", "harmonic_purity")),
        f"{row['k_ratio']:.2f}",
        f"{row['unassigned']:.1%}",
        f"{row['shuffled_ari']:.2f}" if "shuffled_ari" in row else readme.NOTHING,
        readme.number(row["seconds"]),
        readme.number(row.get("peak_mb")),
    ]
