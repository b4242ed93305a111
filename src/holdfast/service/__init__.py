"""The use-cases: everything the API, the CLI and the demo may ask for."""

from holdfast.service.enqueueing import QUEUE
from holdfast.service.generations import Generations, Hierarchy
from holdfast.service.importing import FileToImport, Imports, IncomingRow
from holdfast.service.requests import HIERARCHIES, MIN_ANSWERS, GenerationConfig, GenerationRequest
from holdfast.service.statuses import Status
from holdfast.service.tables import Tables
from holdfast.service.wiring import Service, open_service

__all__ = [
    "HIERARCHIES",
    "MIN_ANSWERS",
    "QUEUE",
    "FileToImport",
    "GenerationConfig",
    "GenerationRequest",
    "Generations",
    "Hierarchy",
    "Imports",
    "IncomingRow",
    "Service",
    "Status",
    "Tables",
    "open_service",
]
