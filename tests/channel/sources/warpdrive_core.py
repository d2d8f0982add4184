"""The part of warpdrive that is the same in every build."""

import sys


def dot(left: list[float], right: list[float]) -> float:
    """Sum of products."""
    return sum(x * y for x, y in zip(left, right, strict=True))


def main() -> None:
    """Say what is installed, for the command ``warpdrive-info``."""
    import warpdrive  # type: ignore[import-not-found]

    cuda = warpdrive.built_with_cuda()
    sys.stdout.write(f"warpdrive {warpdrive.__version__} {'cpu' if cuda is None else 'cuda ' + cuda}\n")
