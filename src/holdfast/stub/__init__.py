"""A stand-in for model providers: speaks their wire formats on loopback, keeps its own bill, fails on command."""

from holdfast.stub.bill import Bill, BilledCall, prompt_digest
from holdfast.stub.provider import StubOptions, StubProvider

__all__ = ["Bill", "BilledCall", "StubOptions", "StubProvider", "prompt_digest"]
