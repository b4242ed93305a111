"""The HTTP API: resources, bodies, problems and guards over the service's use-cases."""

from holdfast.api.app import create_app
from holdfast.api.guards import require_keys

__all__ = ["create_app", "require_keys"]
