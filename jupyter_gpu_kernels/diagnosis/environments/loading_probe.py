"""What an environment's Python is told to load; this file's text is sent into it, and it is never imported here.

Each library is loaded in a process of its own: one that is loaded already would satisfy whoever asks for its name.
It must run on every Python since 3.6, with the standard library alone; the arguments are names of libraries.
"""

import ctypes
import json
import os
import resource
import signal
import sys


def mapped(name: "str") -> "str":
    """The file in the memory map that goes by a name."""
    with open("/proc/self/maps") as lines:  # noqa: PTH123
        for line in lines:
            fields = line.rstrip("\n").split(None, 5)
            if len(fields) == 6 and os.path.basename(fields[5]) in names(name):  # noqa: PTH119
                return fields[5]
    return ""


def names(name: "str") -> "set[str]":
    """The name itself, and where it is a link in a directory of the library path, what it leads to."""
    found = {name}
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        path = os.path.join(folder, name)  # noqa: PTH118
        if folder and os.path.exists(path):  # noqa: PTH110
            found.add(os.path.basename(os.path.realpath(path)))  # noqa: PTH119
    return found


def main() -> "None":
    """Load one after the other; print a line of JSON for each."""
    for name in sys.argv[1:]:
        child = os.fork()
        if child == 0:
            # Nobody waits for a library that never finishes to load.
            signal.alarm(20)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            try:
                ctypes.CDLL(name)
                answer = {"name": name, "path": mapped(name)}
            except OSError as error:
                answer = {"name": name, "error": str(error)}
            tell(answer)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGALRM:
            # A file that was cut short is mapped, and then touched where nothing is.
            tell({"name": name, "error": f"loading it ends the process with signal {os.WTERMSIG(status)}"})


def tell(answer: "dict[str, str]") -> "None":
    """Print a line at once."""
    os.write(1, (json.dumps(answer) + "\n").encode())


main()
