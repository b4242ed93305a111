"""Durable steps: intent before the call, reply before its use, replay for free."""

from holdfast.durable.file_journal import Doubt, FileJournal
from holdfast.durable.fingerprint import fingerprint
from holdfast.durable.journal import Answer, Granted, Held, InDoubt, Intent, Journal, Recorded, Reply
from holdfast.durable.steps import Steps

__all__ = [
    "Answer",
    "Doubt",
    "FileJournal",
    "Granted",
    "Held",
    "InDoubt",
    "Intent",
    "Journal",
    "Recorded",
    "Reply",
    "Steps",
    "fingerprint",
]
