"""The persistence drills: kill things on purpose and check the five criteria."""

from holdfast.drill.folders import clear_away, own_folder
from holdfast.drill.programs import Program, Programs, environment_of
from holdfast.drill.sampler import Sampler
from holdfast.drill.verdicts import Check

__all__ = ["Check", "Program", "Programs", "Sampler", "clear_away", "environment_of", "own_folder"]
