"""The persistence drills: kill things on purpose and check the five criteria."""
