"""The report's colours: seen by everybody, in the light and in the dark."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

# How people without one kind of cones see linear RGB: G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, A
# physiologically-based model for simulation of color vision deficiency, IEEE TVCG 15, 2009.
SIGHTS = {
    "all cones": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
# From linear RGB to OKLab: B. Ottosson, A perceptual color space for image processing, 2020.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
SCHEMES = pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])


def colours_of(scheme: int) -> dict[str, str]:
    style = files("holdfast.files").joinpath("report.css").read_text("utf-8")
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    return dict(re.findall(r"--(\S+?): (#[0-9a-f]{6})", block))


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def seen(colour: str, sight: str) -> np.ndarray:
    return np.cbrt(np.clip(SIGHTS[sight] @ linear(colour), 0, 1) @ TO_CONES.T) @ TO_LAB.T


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@SCHEMES
def test_text_and_dots_stand_out_from_the_ground(scheme: int) -> None:
    colours = colours_of(scheme)

    for ground in ("card", "paper"):
        assert all(contrast(colours[name], colours[ground]) >= 4.5 for name in ("ink", "soft", "link"))
    dots = [*(f"t{place}" for place in range(1, 9)), "rest", "none"]
    assert {
        name: contrast(colours[name], colours["card"]) for name in dots if contrast(colours[name], colours["card"]) < 3
    } == {}
    assert contrast(colours["bad"], colours["bad-soft"]) >= 4.5
    assert contrast(colours["look"], colours["look-soft"]) >= 4.5


@SCHEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_themes_look_the_same_to_anybody(scheme: int, sight: str) -> None:
    colours = colours_of(scheme)
    themes = [colours[f"t{place}"] for place in range(1, 9)]

    nearest = min(
        float(np.linalg.norm(seen(one, sight) - seen(other, sight))) for one, other in combinations(themes, 2)
    )

    assert nearest > 0.08, "0.02 is about the least difference a person sees between two large areas"
