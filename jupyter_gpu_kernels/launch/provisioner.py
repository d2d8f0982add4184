"""The provisioner: starts a kernel with the variables that its environment needs, or one that explains why it cannot.

Nothing here may import jupyter_server, rattler or uv: ``jupyter run``, nbconvert and papermill start kernels by it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Any as AnyTrait

from ..errors import BrokenEnvironmentError, GpuKernelsError
from ..prefix.cache import cache_root
from ..prefix.placement import HURRY
from .deaths import QuickDeaths
from .explanation import Explanation, explaining_command
from .hold import GpuHold, ShutDownError
from .preparation import Prepared, prepare
from .stderr import LastWords

#: The notebook that a server starts a kernel for.
SESSION = "JPY_SESSION_NAME"

#: Seconds between looks at a young kernel.
_LOOK = 0.2


class GpuKernelProvisioner(LocalProvisioner):
    """Starts kernels of GPU environments on this machine.

    A launch decides everything anew, also on restart; the shared kernelspec is only read. A broken environment, and the
    third start after two quick deaths, become the explaining kernel.
    """

    # The one trait that kernel.json sets, of any type: a wrong type in a trait raises before our code runs.
    launch_policy = AnyTrait(
        help="Changes to the environment's launch policy: `activate`, `user_site`, `memory`, `placement`."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._deaths = QuickDeaths()
        self._last_words: LastWords | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._gpus = GpuHold(self.log, self._hurried)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Compute command and variables of the kernel; called by ``KernelManager`` on every start and restart."""
        out = await super().pre_launch(**kwargs)
        started = time.perf_counter()
        try:
            # In a thread, since the last words of a dead kernel are waited for.
            await asyncio.to_thread(self._check_deaths)
            self._last_words = None
            prepared = await asyncio.to_thread(self._prepare, list(out["cmd"]), dict(out["env"]))
            environ = {**prepared.environ, **await self._take_gpus(prepared)}
        except GpuKernelsError as error:
            await self._gpus.stopped()
            self._explain(out, error)
            return out
        except ShutDownError:
            raise
        except Exception:
            await self._gpus.stopped()
            # Whatever we did not think of: a kernel with the server's variables is better than none.
            self.log.exception("The variables of the kernel could not be computed; it starts with the server's.")
            return out
        for warning in prepared.warnings:
            self.log.warning("%s", warning)
        out["env"] = environ
        if self._deaths.count and out.get("stderr") is None:
            self._last_words = LastWords()
            out["stderr"] = self._last_words.writer
        self.log.debug("Prepared the launch in %.1f ms.", (time.perf_counter() - started) * 1000)
        return out

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the process, and keep an eye on it while it is young."""
        try:
            info = await super().launch_kernel(cmd, **kwargs)
        except BaseException:
            if self._last_words:
                self._last_words.abandon()
                self._last_words = None
            await self._gpus.stopped()
            raise
        if self._last_words:
            self._last_words.started()
        self._deaths.born()
        self._look_again()
        if self.pid is not None:
            await self._gpus.started(self.pid)
        return info

    async def poll(self) -> int | None:
        """Say whether the process runs; the restarter asks every few seconds."""
        status = await super().poll()
        if status is not None and self.process is not None:
            self._deaths.died(status)
            # Not awaited: between what is seen of the process here and what is made of it nothing may happen.
            self._gpus.died()
        return status

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Note that the kernel was asked to end."""
        self._stopped()
        await super().shutdown_requested(restart=restart)

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group."""
        if signum != signal.SIGINT:
            self._stopped()
        await super().send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel."""
        self._stopped()
        await super().kill(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of what the kernel held."""
        self._stop_looking()
        await super().cleanup(restart=restart)
        if not restart:
            await self._gpus.stopped()

    def _prepare(self, command: list[str], inherited: dict[str, str]) -> Prepared:
        """Do the blocking part."""
        server = os.environ
        return prepare(
            command,
            inherited,
            wishes={name: value for name, value in inherited.items() if server.get(name) != value},
            policy_wishes=self.launch_policy,
            cache=cache_root(server),
        )

    async def _take_gpus(self, prepared: Prepared) -> Mapping[str, str]:
        """Take the kernel's GPUs; answer with the variables that tell it which.

        Raises:
            GpuKernelsError: It cannot have what it wants.
        """
        if prepared.placement is None:
            await self._gpus.stopped()
            return {}
        title = prepared.environ.get(SESSION, "")
        try:
            return await self._gpus.take(
                prepared.placement,
                prepared.environ,
                kernel_id=self.kernel_id,
                kernel_name=getattr(self.parent, "kernel_name", ""),
                # The server's own is of whatever has started it.
                title=title if title != os.environ.get(SESSION) else "",
            )
        except (GpuKernelsError, ShutDownError):
            raise
        except Exception:
            self.log.exception("The kernel's GPU could not be chosen; it starts on whatever GPU it finds.")
            await self._gpus.stopped()
            return {}

    def _hurried(self) -> bool:
        """Whether the kernel must be started at once: its server ends, or waits to shut it down again."""
        ready = getattr(self.parent, "ready", None)
        ending = getattr(getattr(self.parent, "parent", None), HURRY, False)
        return bool(ending or (ready is not None and ready.cancelled()))

    def _check_deaths(self) -> None:
        """Raise if the kernel died too often; a restart after that tries for real again."""
        if not self._deaths.enough:
            return
        status = self._deaths.status
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        said = self._last_words.text() if self._last_words else ""
        self._last_words = None
        self._deaths.forget()
        msg = f"The kernel {how} within seconds after its start, twice in a row."
        cure = "Read its last words, mend or rebuild the environment, then restart the kernel to try again."
        raise BrokenEnvironmentError(msg, cure=cure, detail=said)

    def _explain(self, out: dict[str, Any], error: GpuKernelsError) -> None:
        """Start an explaining kernel instead, in the server's Python."""
        self.log.error("An explaining kernel is started instead of %s: %s", self.kernel_spec.display_name, error)
        connection_file = getattr(self.parent, "connection_file", "")
        out["cmd"] = explaining_command(connection_file)
        session = {name: value for name, value in out["env"].items() if name.startswith("JPY_")}
        out["env"] = Explanation.of(error).environment({**os.environ, **session})

    def _look_again(self) -> None:
        """Look at a young kernel often, to know when it died: the restarter sees that seconds later."""
        self._stop_looking()
        if self._deaths.pending and self.process is not None:
            status = self.process.poll()
            if status is not None:
                self._deaths.died(status)
            else:
                self._looking = asyncio.get_running_loop().call_later(_LOOK, self._look_again)

    def _stop_looking(self) -> None:
        """Cancel the next look."""
        if self._looking:
            self._looking.cancel()
            self._looking = None

    def _stopped(self) -> None:
        """Note that what follows is no death of its own."""
        self._stop_looking()
        self._deaths.stopped()
