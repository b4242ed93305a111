"""Jobs whose data and results have types: checked by mypy where they are added and processed, and when read."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar, Unpack, cast, overload

from holdfast.errors import BadJob, QueueError, Unrecoverable
from holdfast.queue.client.scheduling import Scheduling
from holdfast.queue.jobs.job import Job
from holdfast.queue.jobs.options import AddFields, NewJob
from holdfast.queue.jobs.repeatables import Repeatable, RepeatFields
from holdfast.queue.jobs.shapes import reader_of
from holdfast.queue.work.execution import AsyncProcessor

T = TypeVar("T")
In = TypeVar("In")
Out = TypeVar("Out")


class Codec(Protocol[T]):
    """Turns values into JSON values and back; either may raise anything to refuse."""

    def encode(self, value: T, /) -> Any:
        """The value as what JSON knows: dict, list, str, int, float, bool, None."""

    def decode(self, raw: Any, /) -> T:
        """The value again."""


class JobType(Generic[In, Out]):
    """The jobs of one name, the type of their data, and of what their processor returns.

    A type is a dataclass, a TypedDict, a plain type as `str` or `list[int]`, a pydantic model (any class with
    `model_validate` and `model_dump`), or an object with `encode` and `decode`. QueueError when it is none of these.
    """

    @overload
    def __init__(self: "JobType[In, None]", name: str, data: type[In] | Codec[In]) -> None: ...

    @overload
    def __init__(
        self: "JobType[In, Out]", name: str, data: type[In] | Codec[In], returns: type[Out] | Codec[Out]
    ) -> None: ...

    def __init__(self, name: str, data: Any, returns: Any = None) -> None:
        self.name = name
        self._data: Codec[In] = codec_of(data)
        self._returns: Codec[Out] = codec_of(returns)

    def new(self, data: In, *, job_id: str | None = None, **options: Unpack[AddFields]) -> NewJob:
        """A job to add, for `Queue.add_many`; BadJob when the data are not of the type."""
        return NewJob(self.name, self._encoded(data), job_id=job_id, **options)

    async def add(self, queue: Scheduling, data: In, *, job_id: str | None = None, **options: Unpack[AddFields]) -> Job:
        """As `Queue.add`; BadJob also when the data are not of the type."""
        return await queue.add(self.name, self._encoded(data), job_id=job_id, **options)

    async def repeat(self, queue: Scheduling, data: In, **fields: Unpack[RepeatFields]) -> Repeatable:
        """As `Queue.repeat`; BadJob also when the data are not of the type."""
        return await queue.repeat(self.name, self._encoded(data), **fields)

    @overload
    def processor(self, function: Callable[[In, Job], Coroutine[Any, Any, Out]], /) -> AsyncProcessor: ...

    @overload
    def processor(self, function: Callable[[In, Job], Out], /) -> Callable[[Job], Any]: ...

    def processor(self, function: Callable[[In, Job], Any], /) -> Callable[[Job], Any]:
        """Make a function of data and job a processor for `Worker`.

        Data or a result that are not of the type fail the job at once, because another attempt would end the same way.
        """
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def process(job: Job) -> Any:
                return self._result(job, await function(self.data_of(job), job))

            return process

        @functools.wraps(function)
        def process_in_thread(job: Job) -> Any:
            return self._result(job, function(self.data_of(job), job))

        return process_in_thread

    def data_of(self, job: Job) -> In:
        """The data of a job; Unrecoverable, with the place, when they are not of the type."""
        try:
            return self._data.decode(job.data)
        except Exception as error:
            raise Unrecoverable(f"the data of job {job.id} ({job.name}) cannot be used: {error}") from error

    def result_of(self, job: Job) -> Out:
        """What a completed job returned; QueueError when it has not completed, or with something else."""
        if job.finished_on is None or job.failed_reason is not None:
            raise QueueError(f"job {job.id} has not completed when it was read")
        return self.result_from(job.returnvalue)

    def result_from(self, returnvalue: Any) -> Out:
        """The result by its JSON value; QueueError when it is not of the type."""
        try:
            return self._returns.decode(returnvalue)
        except Exception as error:
            raise QueueError(f"the result of a job {self.name!r} cannot be used: {error}") from error

    def _encoded(self, data: In) -> Any:
        try:
            return self._data.encode(data)
        except Exception as error:
            raise BadJob(f"the data of job {self.name!r} cannot be sent: {error}") from error

    def _result(self, job: Job, value: Out) -> Any:
        try:
            return self._returns.encode(value)
        except Exception as error:
            raise Unrecoverable(f"the result of job {job.id} ({job.name}) cannot be kept: {error}") from error


class _Model:
    """A class that reads and writes itself, as pydantic's do."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def encode(self, value: Any) -> Any:
        if not isinstance(value, self._kind):
            raise TypeError(f"a {self._kind.__name__} is needed, not {value!r:.80}")
        return value.model_dump(mode="json")

    def decode(self, raw: Any) -> Any:
        return self._kind.model_validate(raw)


class _Shape:
    """A type that Python's own words describe."""

    def __init__(self, kind: Any) -> None:
        self._read = reader_of(kind)
        self._only = kind if isinstance(kind, type) and not hasattr(kind, "__required_keys__") else object

    def encode(self, value: Any) -> Any:
        if not isinstance(value, self._only) and not (self._only is float and isinstance(value, int)):
            raise TypeError(f"a {self._only.__name__} is needed, not {value!r:.80}")
        return value

    def decode(self, raw: Any) -> Any:
        return self._read(raw, "data")


def codec_of(kind: Any) -> Codec[Any]:
    """The codec of a type, or the codec itself; QueueError when it is neither."""
    if not isinstance(kind, type) and hasattr(kind, "encode") and hasattr(kind, "decode"):
        return cast("Codec[Any]", kind)
    if hasattr(kind, "model_validate") and hasattr(kind, "model_dump"):
        return _Model(kind)
    return _Shape(kind)
