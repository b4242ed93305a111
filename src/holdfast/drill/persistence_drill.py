"""Drill 3: jobs are brought into every state, and Redis is read by plain commands in each of them."""

from dataclasses import replace

import orjson

from holdfast.drill.facts import Look, Run
from holdfast.drill.looks import LISTS, SETS
from holdfast.drill.playing import Playing, Tell, begin, bounded
from holdfast.drill.stage import Stage

TITLE = "every state in Redis"
# Two calls fail before anything is billed: one in a way that another try may cure, one for good.
FAULTS = ({"fault": "server_error"}, {"fault": "bad_request"})


async def play_persistence(stage: Stage, tell: Tell) -> Run:
    """Play it. Raises HoldfastError when it could not be played to its end."""
    async with bounded(TITLE):
        await stage.start_programs()
        stage.provider.hold()
        stage.provider.faults(*FAULTS)
        playing = await begin(stage, tell)
        async with playing.watched():
            await playing.held(stage.in_hands)
            await playing.look("with calls under way")
            await stage.service.queue.pause()
            playing.watch.mark("note", "queue paused")
            await playing.look("while paused")
            await stage.service.queue.resume()
            playing.watch.mark("note", "queue resumed")
            stage.provider.release()
        told = playing.watch.latest
        tell(f"{told.status}: {playing.progress}, {told.n_failed} refused for good")
        await playing.look("when one cluster has failed")
        await _retry(playing)
        playing.keep(await _by_command(playing))
        return await playing.run("persistence", TITLE)


async def _retry(playing: Playing) -> None:
    playing.watch.begin_again()
    playing.watch.mark("note", "failed cluster retried")
    await playing.stage.api.post(f"/codeframe/{playing.generation_id}/retry", {})
    async with playing.watched():
        playing.tell("the failed cluster is tried again")


async def _by_command(playing: Playing) -> Look:
    """The counts that `holdfast queue stats` prints, against those of plain commands."""
    look = await playing.stage.looker.look(playing.generation_id, "by `holdfast queue stats`")
    told = orjson.loads(await playing.stage.programs.ask("queue", "stats", "--json"))["counts"]
    wrong = [
        f"{state}: {look.by_state.get(state, 0)} by plain commands, {told.get(state)} by the command"
        for state in (*LISTS, *SETS)
        if told.get(state) != look.by_state.get(state, 0)
    ]
    return replace(look, wrong=(*look.wrong, *wrong))
