"""Before money is spent: what it may cost, and a yes."""

import sys

from rich.console import Console

from holdfast.cli.orders import Order
from holdfast.cli.screen import screen
from holdfast.cli.words import counted, dollars, plain
from holdfast.errors import BadInput
from holdfast.service import OFFLINE, Estimate, FileToImport, GenerationConfig, buys_vectors, estimate_file
from holdfast.settings import Settings


def agree(settings: Settings, order: Order, *, yes: bool) -> bool:
    """Say what it may cost and ask, unless it costs nothing or was agreed to; False: the answer was no.

    Raises BadInput where nobody can be asked.
    """
    said = estimate_file(settings, order.file, order.config)
    if said is None:
        return True
    console = screen()
    console.print(told(said, order.config, embedder=settings.embedder), soft_wrap=True)
    budget = order.budget if order.budget is not None else settings.max_generation_usd
    if budget is not None:
        enough = "enough for that" if budget >= said.high_usd else "when it is used up, the generation pauses"
        console.print(f"budget {dollars(budget)}: {enough}")
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BadInput("nobody is here to agree to that; add --yes if it is what you want, and --budget to limit it")
    return _asked(console)


def show_estimate(settings: Settings, file: FileToImport, config: GenerationConfig) -> None:
    """`holdfast estimate`."""
    said = estimate_file(settings, file, config)
    console = screen()
    if said is None:
        console.print("labels from this machine cost nothing")
        return
    console.print(told(said, config, embedder=settings.embedder), soft_wrap=True)
    console.print(
        f"at most {said.input_tokens:,} tokens in and {said.output_tokens:,} out, at the prices known here", style="dim"
    )


def told(said: Estimate, config: GenerationConfig, *, embedder: str = "auto") -> str:
    """The estimate in one line."""
    cost = f"{dollars(said.low_usd)} to {dollars(said.high_usd)}"
    if buys_vectors(config, embedder):
        calls, makers = counted(said.n_calls, "call"), f"vectors from {plain(embedder)}"
        if config.model == OFFLINE:
            return f"{calls} for the answers' {makers}: {cost}"
        return f"up to {calls} for {plain(config.model)} and for the answers' {makers}: {cost}"
    labels = counted(said.n_calls - said.n_maps - config.review, "label") + (" and a review" if config.review else "")
    if said.n_maps:
        labels += f", with up to {counted(said.n_maps, 'call')} to read large codes in parts,"
    if config.whole:
        labels = "one call for all answers"
    if config.code_answers:
        labels = counted(said.n_calls, "call") + " for labels and all answers"
    if config.coding_type != "open-ended":
        labels = counted(said.n_calls, "call") + f" for the {config.coding_type} coding"
    how = ", as a batch at half the price" if config.batch else ""
    most = "" if config.n_clusters or config.whole or config.coding_type != "open-ended" else "up to "
    return f"{most}{labels} from {plain(config.model)}{how}: {cost}"


def _asked(console: Console) -> bool:
    console.print("spend that? [y/N] ", end="")
    answer = sys.stdin.readline()
    return answer.strip().lower() in {"y", "yes"}
