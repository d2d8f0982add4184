"""What a kernel on trial is told to do; this file's text is sent into it, and it is never imported here.

So it must run on every Python since 3.6, with the standard library alone, and annotations are texts.
"""

import ctypes
import importlib
import json
import os
import sys
import traceback

#: The type under which answers are handed over.
MIME = "application/vnd.jupyter-gpu-kernels.probe+json"

#: Characters kept of any text.
LIMIT = 4000


class Answer(object):  # noqa: UP004
    """Something that a kernel hands over as JSON, and not as printed text."""

    def __init__(self, content: "dict[str, object]") -> "None":
        self.content = content

    def _repr_mimebundle_(self, include: "object" = None, exclude: "object" = None) -> "dict[str, object]":
        """Called by IPython for a user expression."""
        return {MIME: self.content, "text/plain": "an answer"}


class Report(dict):  # type: ignore[type-arg]
    """The dict that a verification fills; each entry is also written down, so that it outlives a crash."""

    def __init__(self, path: "str") -> "None":
        dict.__init__(self)
        self.path = path

    def __setitem__(self, key: "object", value: "object") -> "None":
        """Keep an entry, here and in the file."""
        dict.__setitem__(self, key, value)
        with open(self.path, "w") as stream:  # noqa: PTH123
            json.dump(plain(dict(self)), stream)


def plain(value: "object") -> "object":
    """What JSON can say of a value, with texts cut short."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in list(value)[:64]]
    return str(value)[:LIMIT]


def failure() -> "dict[str, object]":
    """The exception at hand: its last line, and the end of its traceback."""
    kind, value = sys.exc_info()[:2]
    line = "".join(traceback.format_exception_only(kind, value)).strip()
    # A SyntaxError's text has several lines, and the last one names it; any other begins with its name.
    line = line.splitlines()[-1 if kind is not None and issubclass(kind, SyntaxError) else 0]
    return {"error": line[:LIMIT], "traceback": traceback.format_exc()[-LIMIT:]}


def show_output() -> "None":
    """Send everything printed from now on, by Python or by C, to where the process itself was told to.

    ipykernel has put objects, and since 6.0 also pipes, in place of the standard streams; what it reads there goes to
    subscribers that we have not. Where there are pipes, a copy of the original descriptor was kept.
    """
    copy = getattr(sys.stderr, "_original_stdstream_copy", None)
    if copy is not None:
        for descriptor in (1, 2):
            os.dup2(copy, descriptor)
    sys.stdout = sys.stderr = open(os.dup(2), "w", buffering=1, errors="replace")  # noqa: PTH123, SIM115


def about() -> "Answer":
    """Which Python this is."""
    return Answer({"prefix": sys.prefix, "version": ".".join(str(part) for part in sys.version_info[:3])})


def import_module(name: "str") -> "Answer":
    """Import the framework."""
    try:
        importlib.import_module(name)
    except BaseException:
        return Answer(failure())
    return Answer({})


def verify(source: "str", path: "str") -> "Answer":
    """Run a framework's verification; ``path`` is where its report is also written."""
    report = Report(path)
    problem = {}  # type: dict[str, object]
    try:
        exec(compile(source, "verification", "exec"), {"__name__": "verification", "report": report})
    except BaseException:
        problem = failure()
    return Answer(dict(problem, report=plain(report)))


def extra(name: "str", environ: "dict[str, str]", source: "str", path: "str") -> "Answer":
    """Import an extra of the framework and run its verification, under some environment variables."""
    os.environ.update(environ)
    if name:
        try:
            importlib.import_module(name)
        except BaseException:
            return Answer(failure())
    return verify(source, path)


def libraries() -> "Answer":
    """The shared libraries in the memory map of this process; none where the system has no such list."""
    found = set()
    try:
        with open("/proc/self/maps") as lines:  # noqa: PTH123
            for line in lines:
                fields = line.rstrip("\n").split(None, 5)
                if len(fields) == 6 and ".so" in fields[5]:
                    found.add(fields[5])
    except OSError:
        pass
    return Answer({"paths": sorted(found)})


def surroundings() -> "Answer":
    """What the framework had to live with: visible devices, and how the driver starts in this process."""
    driver = {"found": False, "status": None, "version": None}  # type: dict[str, object]
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        driver["found"] = True
        driver["status"] = library.cuInit(0)
        version = ctypes.c_int(0)
        if library.cuDriverGetVersion(ctypes.byref(version)) == 0:
            driver["version"] = version.value
    except (OSError, AttributeError):
        pass
    return Answer({"visible_devices": os.environ.get("CUDA_VISIBLE_DEVICES"), "driver": driver})
