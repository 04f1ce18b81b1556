"""What a night must survive, tried with real processes on real files: `python -m tests.faults`, `make faults`.

    stage.py    a small city of two nights, in a folder of its own, and what its tables come to if nothing disturbs them
    nights.py   processes that run a night, and what strikes them
    killed.py  disk.py  readers.py  neighbours.py    the faults, each a function from a stage to an outcome
    __main__.py    runs them all and prints the table

Each fault has a short form, which `tests/test_faults.py` runs, and a long one. Does not belong here: faults in what a
file holds (`tests/faulty_files.py`).
"""
