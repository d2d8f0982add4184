"""Which GPU is meant where somebody names one: a compute capability, an architecture, or a product.

Capabilities are NVIDIA's: https://developer.nvidia.com/cuda-gpus and https://developer.nvidia.com/cuda-legacy-gpus. A
product that is not here is named by its compute capability, which those pages tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import InvalidInputError

#: Architecture to the compute capabilities that it is sold in.
ARCHITECTURES = {
    "Maxwell": ("5.0", "5.2"),
    "Pascal": ("6.0", "6.1"),
    "Volta": ("7.0",),
    "Turing": ("7.5",),
    "Ampere": ("8.0", "8.6"),
    "Ada": ("8.9",),
    "Hopper": ("9.0",),
    "Blackwell": ("10.0", "12.0"),
}

#: Compute capability to products, without what changes nothing about it (Ti, Super, memory, form of the board).
PRODUCTS = {
    "5.2": "M40, M60, GTX 950, GTX 960, GTX 970, GTX 980",
    "6.0": "P100, Quadro GP100",
    "6.1": "P4, P40, GTX 1050, GTX 1060, GTX 1070, GTX 1080, TITAN Xp",
    "7.0": "V100, Quadro GV100, TITAN V",
    "7.5": "T4, GTX 1650, GTX 1660, RTX 2060, RTX 2070, RTX 2080, TITAN RTX, "
    "Quadro RTX 4000, Quadro RTX 5000, Quadro RTX 6000, Quadro RTX 8000",
    "8.0": "A100, A30",
    "8.6": "A2, A10, A16, A40, RTX 3050, RTX 3060, RTX 3070, RTX 3080, RTX 3090, "
    "RTX A2000, RTX A3000, RTX A4000, RTX A5000, RTX A6000",
    "8.9": "L4, L40, L40S, RTX 4050, RTX 4060, RTX 4070, RTX 4080, RTX 4090, "
    "RTX 2000 Ada, RTX 4000 Ada, RTX 4500 Ada, RTX 5000 Ada, RTX 6000 Ada",
    "9.0": "H100, H200, GH200",
    "10.0": "B200, GB200",
    "10.3": "B300, GB300",
    "12.0": "RTX 5050, RTX 5060, RTX 5070, RTX 5080, RTX 5090, "
    "RTX PRO 2000, RTX PRO 4000, RTX PRO 4500, RTX PRO 5000, RTX PRO 6000",
    "12.1": "GB10",
}

#: Words that stand beside a product's name and say nothing about what it can compute.
_BESIDE = re.compile(
    r"nvidia|tesla|geforce|graphics|gpu|laptop|mobile|max-?q|super|ti|sff|pcie|sxm\d?|nvl\d*|hbm\d\w*|\d+gb"
    r"|(?:server|workstation|blackwell|generation|edition|lovelace|architecture)"
)
_CAPABILITY = re.compile(r"(?:sm_?|compute_?)?(\d{1,2})\.?(\d)[af]?")

#: Every compute capability from Maxwell to Blackwell, that of Jetsons included.
_KNOWN = re.compile(r"5\.[023]|6\.[012]|7\.[025]|8\.[0679]|9\.0|10\.[03]|11\.0|12\.[01]")


@dataclass(frozen=True, kw_only=True)
class NamedGpu:
    """The GPU that somebody named.

    Attributes:
        label: For sentences, with its article: ``an H100``, ``a Hopper GPU``, ``a GPU``.
        capabilities: What it has; of an architecture, all that it is sold in.
    """

    label: str
    capabilities: tuple[str, ...]


def named_gpu(text: str) -> NamedGpu:
    """Understand the name of a GPU.

    Args:
        text: ``9.0`` or ``sm_90``, ``hopper``, ``H100`` or ``NVIDIA H100 80GB HBM3``; case does not matter.

    Raises:
        InvalidInputError: It is none that is known here.
    """
    words = text.strip().lower()
    number = _CAPABILITY.fullmatch(words)
    if number and _KNOWN.fullmatch(f"{number[1]}.{number[2]}"):
        return NamedGpu(label="a GPU", capabilities=(f"{number[1]}.{number[2]}",))
    for architecture, capabilities in ARCHITECTURES.items():
        if words.removeprefix("nvidia").strip() in (architecture.lower(), f"{architecture.lower()} lovelace"):
            article = "an" if architecture[0] in "AEIOU" else "a"
            return NamedGpu(label=f"{article} {architecture} GPU", capabilities=capabilities)
    wanted = _core(words)
    for capability, products in PRODUCTS.items():
        for product in products.split(", "):
            if wanted and wanted == _core(product.lower()):
                # As they are spoken: an H100, an A100, an L4, an RTX 4090; a T4.
                article = "an" if product[0] in "AHLMR" else "a"
                return NamedGpu(label=f"{article} {product}", capabilities=(capability,))
    shown = ascii(text if len(text) <= 60 else text[:57] + "...")
    msg = f"{shown} is not a GPU that is known here."
    raise InvalidInputError(msg, cure=f"Give {understood()}.")


def understood() -> str:
    """What can be named, for cures; not all products, which would fill a page."""
    architectures = ", ".join(name.lower() for name in ARCHITECTURES)
    return (
        f"a compute capability such as 9.0, an architecture ({architectures}), or an NVIDIA product such as H100 or "
        "RTX 4090"
    )


def _core(words: str) -> str:
    """What is left of a product's name without the words beside it: ``rtx4090`` of ``geforce rtx 4090 laptop gpu``."""
    kept = (word for word in re.split(r"[\s_/-]+", words.replace("max-q", " ")) if not _BESIDE.fullmatch(word))
    return re.sub(r"(?<=\d)(?:ti|super)$", "", "".join(kept))
