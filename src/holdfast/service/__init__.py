"""The use-cases: everything the API, the CLI and the demo may ask for."""

from holdfast.files import check_table_path
from holdfast.service.balancing import Census
from holdfast.service.costs import Costs
from holdfast.service.enqueueing import QUEUE
from holdfast.service.estimates import Estimates
from holdfast.service.estimating import Estimate
from holdfast.service.generations import Generations, Hierarchy
from holdfast.service.importing import FileToImport, Imports, IncomingRow
from holdfast.service.metrics import CONTENT_TYPE as METRICS_TYPE
from holdfast.service.metrics import Metrics as ProcessMetrics
from holdfast.service.models import keys_of, prices_of
from holdfast.service.requests import HIERARCHIES, MIN_ANSWERS, GenerationConfig, GenerationRequest
from holdfast.service.requests import check as check_config
from holdfast.service.scraping import last_scrape
from holdfast.service.servers import opened
from holdfast.service.statuses import Status
from holdfast.service.steering import Resolved, Steering
from holdfast.service.tables import Tables
from holdfast.service.wiring import Service, open_service
from holdfast.store.balances import Balance, InHand
from holdfast.store.codeframes import StoredNode
from holdfast.store.generations import Generation
from holdfast.store.ledgers import Call, CostRow, Grouping

__all__ = [
    "HIERARCHIES",
    "METRICS_TYPE",
    "MIN_ANSWERS",
    "QUEUE",
    "Balance",
    "Call",
    "Census",
    "CostRow",
    "Costs",
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
    "ProcessMetrics",
    "Resolved",
    "Service",
    "Status",
    "Steering",
    "StoredNode",
    "Tables",
    "check_config",
    "check_table_path",
    "keys_of",
    "last_scrape",
    "open_service",
    "opened",
    "prices_of",
]
