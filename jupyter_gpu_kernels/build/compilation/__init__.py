"""What gives an environment its bytecode, run by the environment's own interpreter; :mod:`..bytecode` starts it.

Only the standard library of Python 3.7 and later is used, and nothing of this package outside this directory.
"""
