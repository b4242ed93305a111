"""Bodies of health."""

from typing import Literal

from pydantic import Field

from holdfast.api.bodies import Body


class LiveBody(Body):
    """This process answers."""

    status: Literal["live"] = "live"


class LineBody(Body):
    """One line of the deployment checklist."""

    name: str = Field(examples=["redis persistence"])
    level: Literal["ok", "warn", "fail"]
    figure: str | None = Field(description="What was found; null without a key", examples=["AOF, appendfsync everysec"])
    fix: str | None = Field(description="What to run or to set; null when there is nothing to do, and without a key")


class ReadyBody(Body):
    """Everything that is needed can be used."""

    status: Literal["ready"] = "ready"
    level: Literal["ok", "warn", "fail"] = Field(description="The worst of the lines")
    lines: tuple[LineBody, ...]
