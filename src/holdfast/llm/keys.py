"""Who pays: the keys and addresses of the providers."""

import hashlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from holdfast.errors import NotConfigured

# Sent where a key must be and none is needed: a model served on one's own host.
NO_KEY = "no-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the environment says; nothing of it is shown by repr."""

    anthropic_key: str | None = field(default=None, repr=False)  # ANTHROPIC_API_KEY
    anthropic_url: str | None = field(default=None, repr=False)  # ANTHROPIC_BASE_URL; None: the provider's own
    openai_key: str | None = field(default=None, repr=False)  # OPENAI_API_KEY
    openai_url: str | None = field(default=None, repr=False)  # OPENAI_BASE_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One provider's address and key."""

    provider: str  # as errors name it
    url: str = field(repr=False)
    key: str = field(repr=False)
    own_host: bool  # not the provider's own address: a gateway, a proxy, or a server one runs oneself

    @property
    def credential(self) -> str:
        """16 hex digits that name the account: the same for the same provider, address and key."""
        text = f"{self.provider}\n{self.url}\n{self.key}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def account(provider: str, *, key: str | None, url: str | None, default_url: str, variable: str) -> Account:
    """The account to use. Raises NotConfigured if the key is missing or cannot be sent."""
    address = (url or default_url).rstrip("/")
    own_host = urlsplit(address).hostname != urlsplit(default_url).hostname
    key = (key or "").strip()
    if not key and not own_host:
        raise NotConfigured(f"{provider} needs a key: set {variable}_API_KEY")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise NotConfigured(f"{variable}_API_KEY has characters that no key has; set it anew")
    if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname:
        raise NotConfigured(f"{variable}_BASE_URL must be an http or https address")
    return Account(provider=provider, url=address, key=key or NO_KEY, own_host=own_host)
