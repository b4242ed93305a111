"""The use-cases: everything the API, the CLI and the demo may ask for."""

from holdfast.files import check_table_path
from holdfast.service.balancing import Census
from holdfast.service.enqueueing import QUEUE
from holdfast.service.generations import Generations, Hierarchy
from holdfast.service.importing import FileToImport, Imports, IncomingRow
from holdfast.service.requests import HIERARCHIES, MIN_ANSWERS, GenerationConfig, GenerationRequest
from holdfast.service.requests import check as check_config
from holdfast.service.statuses import Status
from holdfast.service.tables import Tables
from holdfast.service.wiring import Service, open_service
from holdfast.store.balances import Balance, InHand
from holdfast.store.codeframes import StoredNode

__all__ = [
    "HIERARCHIES",
    "MIN_ANSWERS",
    "QUEUE",
    "Balance",
    "Census",
    "FileToImport",
    "GenerationConfig",
    "GenerationRequest",
    "Generations",
    "Hierarchy",
    "Imports",
    "InHand",
    "IncomingRow",
    "Service",
    "Status",
    "StoredNode",
    "Tables",
    "check_config",
    "check_table_path",
    "open_service",
]
