"""Model providers: one request in, one completion with its usage out; never a retry of its own."""

from holdfast.llm.values import Completion, Finish, Request, Usage

__all__ = ["Completion", "Finish", "Request", "Usage"]
