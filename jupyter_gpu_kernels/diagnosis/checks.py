"""All checks, in the order in which they are listed. A check is in this table, or is not made."""

from __future__ import annotations

from . import remedies
from .check import Check, EnvironmentCheck, MachineCheck
from .disk import abilities, cache, room, shared
from .environments import compilers, fitting, frameworks, loading, needing, requirements, shadowing, starting, upkeep
from .environments import libraries as own_libraries
from .kernelspecs import adoptable, frozen, remains, stale, starters
from .machine import devices, driver, gpus, libraries, orphans, resources, variables
from .network import configuration, mirrors, proxies, reach

#: Of the machine.
MACHINE: tuple[Check, ...] = (
    MachineCheck(id="no-gpu", title="Whose GPUs there are", look=driver.no_gpu),
    MachineCheck(id="driver-missing", title="GPUs without a driver", look=driver.missing),
    MachineCheck(id="driver-mismatch", title="Versions of the driver's parts", look=driver.mismatch),
    MachineCheck(id="driver-libraries", title="The driver's libraries", look=driver.libraries_missing),
    MachineCheck(id="driver-age", title="Age of the driver", look=driver.too_old),
    MachineCheck(id="windows-driver", title="The driver of Windows, in its Linux subsystem", look=driver.windows),
    MachineCheck(id="container-without-gpu", title="GPUs of the container", look=devices.container_without_gpu),
    MachineCheck(id="container-told-none", title="GPUs asked for the container", look=variables.hidden_in_container),
    MachineCheck(id="driver-capabilities", title="What the container may do", look=devices.driver_capabilities),
    MachineCheck(id="memory-device", title="The device for GPU memory", look=devices.memory_node),
    MachineCheck(id="device-permissions", title="Permission to use the GPUs", look=devices.permissions),
    MachineCheck(id="gpu-lost", title="GPUs on the bus, and those that answer", look=gpus.lost),
    MachineCheck(id="gpus-masked", title="GPUs that the server may use", look=gpus.visible),
    MachineCheck(id="compute-mode", title="Who may compute on the GPUs", look=gpus.compute_mode),
    MachineCheck(id="mig-without-instances", title="Split GPUs", look=gpus.without_instances),
    MachineCheck(
        id="gpu-memory-orphans",
        title="GPU memory of kernels that are gone",
        look=orphans.orphans,
        remedies=(remedies.END_PROCESS,),
    ),
    MachineCheck(id="stub-driver-library", title="Stand-ins for the driver's library", look=libraries.stub),
    MachineCheck(id="several-drivers", title="Versions of the driver's libraries", look=libraries.several_drivers),
    MachineCheck(id="foreign-cuda", title="CUDA libraries of the server", look=libraries.foreign_cuda),
    MachineCheck(id="library-path", title="Components of the library path", look=libraries.relative_path),
    MachineCheck(id="preloaded-library", title="Libraries forced upon kernels", look=variables.preloaded),
    MachineCheck(id="python-home", title="PYTHONHOME", look=variables.of_python),
    MachineCheck(id="cuda-override", title="CUDA that the solver counts on", look=variables.cuda_override),
    MachineCheck(id="gpu-hidden-from-framework", title="Variables that hide GPUs", look=variables.hiding),
    MachineCheck(id="memory-variables", title="Memory settings for all kernels", look=variables.memory),
    MachineCheck(id="debugging-variables", title="Debugging settings for all kernels", look=variables.debugging),
    MachineCheck(id="shared-memory", title="Size of the shared memory", look=resources.shared_memory),
    MachineCheck(id="process-limits", title="Limits of the server's processes", look=resources.process_limits),
)

#: Of each environment.
ENVIRONMENTS: tuple[Check, ...] = (
    EnvironmentCheck(
        id="driver-too-old",
        title="The driver, and the CUDA of environments",
        look=driver.too_old_for,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="preset-overruled", title="Memory presets that have no effect", look=variables.preset_overruled
    ),
    EnvironmentCheck(
        id="python-broken", title="Python of environments", look=starting.look_at_python, remedies=(remedies.REBUILD,)
    ),
    EnvironmentCheck(
        id="ipykernel-broken",
        title="ipykernel of environments",
        look=starting.look_at_kernel_package,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="cpu-build",
        title="CPU builds where there could be GPU builds",
        look=frameworks.look_for_cpu_builds,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="framework-replaced",
        title="Frameworks, and what was built",
        look=frameworks.look_for_replacements,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="rival-packages",
        title="Packages that overwrite each other",
        look=frameworks.look_for_rivals,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="jax-plugin-unused",
        title="JAX and its CUDA plugin",
        look=frameworks.look_at_jax_plugin,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="added-build-driver",
        title="The driver, and frameworks that were added",
        look=fitting.look_at_driver,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="gpu-unknown-to-build",
        title="GPUs, and what builds have code for",
        look=fitting.look_at_gpus,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="cuda-library-missing",
        title="CUDA libraries of environments",
        look=own_libraries.look_for_missing,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="cuda-mixed",
        title="Versions of CUDA in one environment",
        look=own_libraries.look_for_mixture,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="cudnn-unfit",
        title="cuDNN, and what frameworks were built with",
        look=own_libraries.look_at_cudnn,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="cuda-library-loaded",
        title="CUDA libraries that would be loaded",
        look=loading.look,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(id="cuda-library-needed", title="CUDA libraries that frameworks need", look=needing.look),
    EnvironmentCheck(id="user-packages", title="Packages of the user directory", look=shadowing.look_at_user_site),
    EnvironmentCheck(id="python-path", title="Packages on PYTHONPATH", look=shadowing.look_at_python_path),
    EnvironmentCheck(
        id="xla-tools", title="libdevice and ptxas", look=compilers.look_for_tools, remedies=(remedies.REBUILD,)
    ),
    EnvironmentCheck(id="xla-flags", title="XLA_FLAGS", look=compilers.look_at_flags),
    EnvironmentCheck(
        id="requirement-broken",
        title="What frameworks need",
        look=requirements.look_for_conflicts,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="numpy-too-new",
        title="NumPy, and what was compiled for it",
        look=requirements.look_at_numpy,
        remedies=(remedies.REBUILD,),
    ),
    EnvironmentCheck(
        id="verification",
        title="Verification of environments",
        look=upkeep.look_at_verification,
        remedies=(remedies.VERIFY,),
    ),
    EnvironmentCheck(
        id="verification-outdated",
        title="Packages that came after the verification",
        look=upkeep.look_at_changes,
        remedies=(remedies.VERIFY,),
    ),
    EnvironmentCheck(id="restart-needed", title="Running kernels, and rebuilds", look=upkeep.look_for_restarts),
    EnvironmentCheck(id="built-by-newer", title="Versions that built environments", look=upkeep.look_at_builder),
    EnvironmentCheck(id="memory-shared", title="Memory of GPUs that are shared", look=upkeep.look_at_memory),
)

#: Of kernelspecs, wherever they come from.
KERNELSPECS: tuple[Check, ...] = (
    MachineCheck(
        id="dead-kernelspec",
        title="Kernels whose program or environment is gone",
        look=stale.dead_kernelspecs,
        remedies=(remedies.REMOVE_KERNELSPEC, remedies.REBUILD),
    ),
    EnvironmentCheck(
        id="unregistered-kernel",
        title="Environments whose kernel is not registered",
        look=stale.unregistered,
        remedies=(remedies.VERIFY,),
    ),
    MachineCheck(
        id="shadowed-kernel",
        title="Kernels hidden by others of their name",
        look=stale.shadowed,
        remedies=(remedies.REMOVE_KERNELSPEC,),
    ),
    MachineCheck(id="same-title", title="Kernels shown under one name", look=stale.same_titles, always=False),
    MachineCheck(
        id="damaged-environment",
        title="Environments of which nothing is known",
        look=remains.damaged,
        remedies=(remedies.REMOVE_ENVIRONMENT,),
    ),
    EnvironmentCheck(
        id="half-deleted-environment",
        title="Environments of which parts are gone",
        look=remains.half_deleted,
        remedies=(remedies.REBUILD,),
    ),
    MachineCheck(
        id="leftovers",
        title="What broken-off builds have left",
        look=remains.leftovers,
        remedies=(remedies.SWEEP,),
        always=False,
    ),
    MachineCheck(
        id="provisioner-missing",
        title="Kernels that Jupyter hides",
        look=starters.missing_here,
        remedies=(remedies.RELEASE_KERNELSPEC,),
    ),
    MachineCheck(
        id="provisioner-missing-elsewhere",
        title="Other Jupyters that hide GPU kernels",
        look=starters.missing_elsewhere,
        always=False,
    ),
    MachineCheck(
        id="encryption-promised",
        title="Kernels that promise to encrypt and cannot",
        look=starters.encryption,
        remedies=(remedies.REBUILD,),
        always=False,
    ),
    MachineCheck(id="frozen-variables", title="Variables in kernelspecs", look=frozen.look, always=False),
    MachineCheck(
        id="adoptable-kernel",
        title="Kernels made elsewhere that use the GPU",
        look=adoptable.look,
        remedies=(remedies.ADOPT_KERNELSPEC,),
        always=False,
    ),
    MachineCheck(
        id="adopted-kernel",
        title="Kernels made elsewhere that the provisioner starts",
        look=adoptable.look_at_adopted,
        remedies=(remedies.RELEASE_KERNELSPEC,),
        always=False,
    ),
)

#: Of the network and the disk.
SUPPLIES: tuple[Check, ...] = (
    MachineCheck(id="network", title="Channels and package indexes", look=reach.look),
    MachineCheck(id="proxy-variables", title="Variables that name proxies", look=proxies.look),
    MachineCheck(id="mirror-bypassed", title="Channels that go past a mirror", look=mirrors.look),
    MachineCheck(id="conda-configuration", title="Configuration files of conda", look=configuration.look_at_conda),
    MachineCheck(id="pip-configuration", title="Configuration files of pip", look=configuration.look_at_pip),
    MachineCheck(id="disk-room", title="Room for environments", look=room.look),
    MachineCheck(id="disk-inodes", title="Room for files", look=room.look_at_files),
    MachineCheck(id="disk-writing", title="Directories that must be written", look=room.look_at_writing),
    MachineCheck(id="disk-links", title="Files that caches share with environments", look=abilities.look_at_links),
    MachineCheck(id="disk-steps", title="Exchanges and locks", look=abilities.look_at_steps),
    MachineCheck(id="disk-programs", title="Directories that programs run from", look=abilities.look_at_running),
    MachineCheck(id="disk-distance", title="Network filesystems", look=abilities.look_at_distance),
    MachineCheck(id="disk-shared", title="Package caches of others", look=shared.look, always=False),
    MachineCheck(
        id="disk-cache",
        title="Size of the package cache",
        look=cache.look,
        remedies=(remedies.CLEAN_CACHE,),
        always=False,
    ),
)

CHECKS: tuple[Check, ...] = (*MACHINE, *ENVIRONMENTS, *KERNELSPECS, *SUPPLIES)
