"""Does the one errand that stdin asks for, and leaves."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..tally import Voice
from .fetching import fetch
from .installing import install
from .locking import lock
from .pinning import pin
from .probing import probe
from .searching import names, versions
from .solving import solve

#: From the request and the voice that tells what happens meanwhile to the result.
Errand = Callable[[Mapping[str, Any], Voice], Awaitable[Mapping[str, Any]]]

ERRANDS: Mapping[str, Errand] = {
    "fetch": fetch,
    "install": install,
    "lock": lock,
    "names": names,
    "pin": pin,
    "probe": probe,
    "solve": solve,
    "versions": versions,
}


async def _run(job: Mapping[str, Any], voice: Voice) -> Mapping[str, Any]:
    return await ERRANDS[job["errand"]](job, voice)


def main() -> None:
    """Do the one errand that stdin asks for, and leave."""
    voice = Voice.take_stdout()
    try:
        job = json.loads(sys.stdin.buffer.read())
        result = asyncio.run(_run(job, voice))
        voice.say({"event": "result", **result})
    # Panics of rattler are no Exceptions.
    except BaseException as error:
        voice.say({"event": "failure", "exception": type(error).__name__, "text": str(error)})
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
