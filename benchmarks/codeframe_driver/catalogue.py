"""What is compared with our codeframes: how each is installed, and what it is told."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from queue_driver.environments import ROOT, Environment, prepare_python

PROGRAMS = ROOT / "benchmarks" / "codeframe_peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One way to group answers."""

    name: str
    title: str
    program: str  # in codeframe_peers/
    k_known: bool = False  # it is told the number of human codes
    taught: bool = False  # it is shown human codes: no competitor, but what is within reach
    installs: tuple[tuple[str, ...], ...] = ()  # pinned, one call of pip each; none: the checkout's own environment
    variables: dict[str, str] = field(default_factory=dict)


_UMAP = ("umap-learn==0.5.12", "pynndescent==0.7.0", "numba==0.68.1", "scikit-learn==1.9.1", "numpy==2.4.6")
_BERTOPIC = ("hdbscan==0.8.44", "pandas==3.1.1", "tqdm==4.70.1", "plotly==7.1.0", "pyyaml==6.0.4")

PEERS = (
    Peer(name="holdfast", title="Holdfast, k estimated", program="with_holdfast.py"),
    Peer(
        name="holdfast-k",
        title="Holdfast, k given",
        program="with_holdfast.py",
        k_known=True,
        variables={"PEER_K": "human"},
    ),
    Peer(
        name="kmeans",
        title="KMeans, k given",
        program="with_kmeans.py",
        k_known=True,
        installs=(("scikit-learn==1.9.1", "numpy==2.4.6"),),
    ),
    Peer(name="umap", title="UMAP + KMeans, k given", program="with_umap.py", k_known=True, installs=(_UMAP,)),
    Peer(
        name="bertopic",
        title="BERTopic",
        program="with_bertopic.py",
        # Without its dependencies, of which torch is one: it is given vectors, and needs no model of its own.
        installs=(("--no-deps", "bertopic==0.17.4"), (*_UMAP, *_BERTOPIC)),
    ),
    Peer(
        name="evoc",
        title="EVoC",
        program="with_evoc.py",
        installs=(("evoc==0.3.2", "numba==0.68.1", "scikit-learn==1.9.1", "numpy==2.4.6"),),
    ),
    Peer(name="probe", title="a linear probe (ceiling)", program="with_probe.py", k_known=True, taught=True),
)
BY_NAME = {peer.name: peer for peer in PEERS}


def prepare(peer: Peer, cache: Path) -> Environment:
    """How to start the peer, installed now if it must be. NotInstalled when that fails."""
    program = PROGRAMS / peer.program
    if peer.installs:
        return prepare_python(cache / f"codeframe-{peer.name}", program, *peer.installs, variables=peer.variables)
    place = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    return Environment((sys.executable, str(program)), place | peer.variables, {})
