"""Drill 1: the API and every worker are killed after three of ten clusters, and started again."""

from datetime import UTC, datetime

from holdfast.drill.facts import Run
from holdfast.drill.playing import Tell, begin, bounded, first_taken
from holdfast.drill.stage import Stage

TITLE = "server killed"


async def play_server(stage: Stage, tell: Tell) -> Run:
    """Play it. Raises HoldfastError when it could not be played to its end."""
    async with bounded(TITLE):
        await stage.start_programs()
        stage.provider.hold(before_billing=True)
        playing = await begin(stage, tell)
        watch = playing.watch
        async with playing.watched():
            await playing.first_done()
            watch.api_dies()
            stage.kill_programs()
            told_before = watch.latest.n_completed
            watch.mark("kill", f"API and {len(stage.workers)} workers")
            tell(f"API and {len(stage.workers)} workers killed (SIGKILL) in the middle of calls; {playing.progress}")
            await playing.look("while all of them are dead", cut_off=True)
            cut_off = await playing.cut_off()
            stage.provider.release()
            since = datetime.now(UTC)
            await stage.start_programs()
            watch.api_is_dead = False
            watch.mark("start", f"API and {len(stage.workers)} workers")
            tell("API and workers started again")
            await watch.until_ended()
        return await playing.run(
            "server",
            TITLE,
            told_before=told_before,
            told_after=None if watch.first_back is None else watch.first_back.n_completed,
            cut_off=cut_off,
            resumed_after=first_taken(stage.workers, since=since),
        )
