"""`fs-dialer doctor`: is everything there that calling people needs?

Each section is two files: a pure one that judges (facts in, verdict and remedy out), and one that asks. examination.py puts them together, command.py
is what the user types. Nothing here changes anything; only `--call` makes a call, inside the switch and to nobody.
"""
