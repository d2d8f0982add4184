"""The conda solver's own process: py-rattler solves, downloads and links; nothing outside of this directory imports it.

Run as ``python -m jupyter_gpu_kernels.build.conda.builder`` by :mod:`..errand`, with one request as JSON on stdin. It
answers in JSON lines, the last of which is a ``result`` or a ``failure``, and leaves by ``os._exit``: rattler's
threads can crash an interpreter that shuts down in order (https://github.com/PyO3/pyo3-async-runtimes/issues/40).

A module for each kind of errand (:mod:`.solving`, :mod:`.installing`, :mod:`.probing`, :mod:`.searching`), with a
function from the request to the result, named in :mod:`.__main__`; and what they share: :mod:`.access`,
:mod:`.indexes`, :mod:`.machine`, :mod:`.records`.
"""
