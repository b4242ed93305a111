"""The use-cases: everything the API, the CLI and the demo may ask for."""

from holdfast.files import check_table_path
from holdfast.service.balancing import Census
from holdfast.service.costs import Costs
from holdfast.service.enqueueing import QUEUE
from holdfast.service.estimates import Estimates, buys_vectors, check_payer, estimate_file
from holdfast.service.estimating import Estimate
from holdfast.service.generations import Generations, Hierarchy
from holdfast.service.importing import FileToImport, Imports, IncomingRow
from holdfast.service.metrics import CONTENT_TYPE as METRICS_TYPE
from holdfast.service.metrics import Metrics as ProcessMetrics
from holdfast.service.models import keys_of, prices_of
from holdfast.service.requests import (
    HIERARCHIES,
    MIN_ANSWERS,
    MOST_EXAMPLES,
    OFFLINE,
    GenerationConfig,
    GenerationRequest,
)
from holdfast.service.requests import check as check_config
from holdfast.service.scraping import last_scrape
from holdfast.service.servers import opened
from holdfast.service.statuses import Status
from holdfast.service.steering import Resolved, Steering, Then
from holdfast.service.tables import Tables
from holdfast.service.wiring import Service, open_service
from holdfast.store.balances import Account, Balance, InHand, UnitAccount
from holdfast.store.codeframes import StoredNode
from holdfast.store.endings import EndedUnit, Place
from holdfast.store.generations import Generation
from holdfast.store.ledgers import Call, CostRow, Grouping

__all__ = [
    "HIERARCHIES",
    "METRICS_TYPE",
    "MIN_ANSWERS",
    "MOST_EXAMPLES",
    "OFFLINE",
    "QUEUE",
    "Account",
    "Balance",
    "Call",
    "Census",
    "CostRow",
    "Costs",
    "EndedUnit",
    "Estimate",
    "Estimates",
    "FileToImport",
    "Generation",
    "GenerationConfig",
    "GenerationRequest",
    "Generations",
    "Grouping",
    "Hierarchy",
    "Imports",
    "InHand",
    "IncomingRow",
    "Place",
    "ProcessMetrics",
    "Resolved",
    "Service",
    "Status",
    "Steering",
    "StoredNode",
    "Tables",
    "Then",
    "UnitAccount",
    "buys_vectors",
    "check_config",
    "check_payer",
    "check_table_path",
    "estimate_file",
    "keys_of",
    "last_scrape",
    "open_service",
    "opened",
    "prices_of",
]
