"""What the environment says, read once at the edge (cli, api, tests) and passed down."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from platformdirs import user_cache_path, user_data_path
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Usd = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]


class PriceSetting(BaseModel):
    """What a model costs, where the table of prices does not know it, US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Usd
    output: Usd
    cache_read: Usd | None = None  # null: as input
    cache_write: Usd | None = None


class Settings(BaseSettings):
    """Every setting with its environment variable; nothing else in Holdfast reads the environment."""

    model_config = SettingsConfigDict(env_prefix="HOLDFAST_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("holdfast"))  # data folder of the embedded servers
    cache: Path = Field(default_factory=lambda: user_cache_path("holdfast"))  # what can be made again: converted models
    models: Path | None = None  # a folder with the embedding model's files
    # What compares answers: auto (minilm, else lsa), minilm (English), lsa (words alone), fastembed:MODEL, or paid for
    # openai:MODEL.
    embedder: str = Field("auto", pattern=r"^(auto|minilm|lsa|(fastembed|openai):\S+)$")

    redis_url_given: str | None = Field(None, validation_alias=AliasChoices("REDIS_URL", "redis_url_given"))
    redis_host: str | None = Field(None, validation_alias=AliasChoices("REDIS_HOST", "redis_host"))
    redis_port: int = Field(6379, validation_alias=AliasChoices("REDIS_PORT", "redis_port"))
    redis_password: str | None = Field(None, validation_alias=AliasChoices("REDIS_PASSWORD", "redis_password"))
    database_url: str | None = Field(None, validation_alias=AliasChoices("DATABASE_URL", "database_url"))

    anthropic_key: SecretStr | None = Field(None, validation_alias=AliasChoices("ANTHROPIC_API_KEY", "anthropic_key"))
    anthropic_url: str | None = Field(None, validation_alias=AliasChoices("ANTHROPIC_BASE_URL", "anthropic_url"))
    openai_key: SecretStr | None = Field(None, validation_alias=AliasChoices("OPENAI_API_KEY", "openai_key"))
    openai_url: str | None = Field(None, validation_alias=AliasChoices("OPENAI_BASE_URL", "openai_url"))
    prices: dict[str, PriceSetting] = Field(
        default_factory=dict
    )  # JSON: {"openai:my-model": {"input": …, "output": …}}
    max_call_usd: Usd | None = None  # a call that may cost more is not made
    max_generation_usd: Usd | None = None  # budget of a generation that brings none, and the most it may bring
    max_key_month_usd: Usd | None = None  # by one provider key in one calendar month (UTC)
    max_month_usd: Usd | None = None  # by all keys in one calendar month
    requests_per_minute: float | None = Field(None, gt=0)  # to one provider with one key, by all workers together
    tokens_per_minute: float | None = Field(None, gt=0)
    call_seconds: float = Field(120.0, gt=0)  # a call that takes longer is given up, and is in doubt

    backup_stamp: Path | None = (
        None  # a folder with files `redis` and `postgresql`, touched by each backup; or one file
    )
    backup_hours: float = Field(26.0, gt=0)  # a backup that is older is too old
    alerts: bool = False  # the operator says that somebody is told when something goes wrong

    queue_prefix: str = "bull"
    host: str = "127.0.0.1"
    port: int = 3001
    hosts: Annotated[tuple[str, ...], NoDecode] = ()  # names a proxy on this machine passes on, beside localhost's
    api_keys: Annotated[tuple[str, ...], NoDecode] = ()

    concurrency: int = Field(8, ge=1, le=1000)  # jobs one worker runs at once
    lock_seconds: float = Field(30.0, ge=1)
    reconcile_seconds: float = Field(2.0, ge=0.1)
    label_pace: float = Field(0.0, ge=0)  # least seconds an offline label takes: gives drills the time to kill
    fault: str = ""  # fault points to arm, see faultpoints.py
    log: Literal["console", "json"] = "console"
    # Where spans go, as OpenTelemetry's SDK has it: otlp, console, none; it reads the rest of OTEL_* itself.
    traces_exporter: str | None = Field(None, validation_alias=AliasChoices("OTEL_TRACES_EXPORTER", "traces_exporter"))
    otlp_endpoint: str | None = Field(
        None,
        validation_alias=AliasChoices(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "otlp_endpoint"
        ),
    )
    otlp_protocol: str | None = Field(  # grpc | http/protobuf; None: whichever exporter is installed
        None,
        validation_alias=AliasChoices(
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL", "otlp_protocol"
        ),
    )

    @field_validator("hosts", "api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in map(str.strip, value.split(",")) if part)
        return value

    @property
    def redis_url(self) -> str | None:
        """The Redis to use, from REDIS_URL or REDIS_HOST, REDIS_PORT, REDIS_PASSWORD; None: the embedded one."""
        if self.redis_url_given:
            return self.redis_url_given
        if self.redis_host is None:
            return None
        secret = f":{quote(self.redis_password, safe='')}@" if self.redis_password else ""
        return f"redis://{secret}{self.redis_host}:{self.redis_port}"
