"""What the machine has that packages are looked for, as virtual packages."""

from __future__ import annotations

from collections.abc import Mapping

import rattler

#: Virtual packages assumed of a machine that is not this one: what conda-forge's builds ask for at most today.
ASSUMED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "linux": (("__unix", "0", "0"), ("__linux", "6.1", "0"), ("__glibc", "2.36", "0")),
    "osx": (("__unix", "0", "0"), ("__osx", "14.0", "0")),
    "win": (("__win", "10.0", "0"),),
}
ARCHSPEC = {"linux-64": "x86_64_v3", "win-64": "x86_64_v3", "osx-64": "x86_64_v3", "osx-arm64": "m1"}


def virtual_packages(cuda: str | None, platform: str | None) -> list[rattler.GenericVirtualPackage]:
    """What the target machine has: CUDA as asked for, the rest of this machine or as may be assumed of another one."""

    def made(name: str, version: str, build: str) -> rattler.GenericVirtualPackage:
        return rattler.GenericVirtualPackage(
            rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)
        )

    if platform is None or platform == str(rattler.Subdir.current()):
        # CONDA_OVERRIDE_GLIBC and the like are honoured, but the word on CUDA has been spoken.
        overrides = rattler.VirtualPackageOverrides.from_env()
        overrides.cuda = rattler.Override.string("")
        detected = [package.into_generic() for package in rattler.VirtualPackage.detect(overrides)]
        found = [package for package in detected if not package.name.normalized.startswith("__cuda")]
    else:
        found = [made(*package) for package in ASSUMED.get(platform.split("-")[0], ())]
        if platform in ARCHSPEC:
            found.append(made("__archspec", "1", ARCHSPEC[platform]))
    return [*found, made("__cuda", cuda, "0")] if cuda is not None else found
