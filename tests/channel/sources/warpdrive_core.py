"""The part of warpdrive that is the same in every build."""


def dot(left, right):
    """Sum of products."""
    return sum(x * y for x, y in zip(left, right))


def main():
    """Say what is installed, for the command ``warpdrive-info``."""
    import warpdrive

    cuda = warpdrive.built_with_cuda()
    print("warpdrive", warpdrive.__version__, "cpu" if cuda is None else "cuda " + cuda)
