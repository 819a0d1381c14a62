"""The process: decides whether it is cooperative, then hands over to the command line.

Knows the commands that live in a gevent loop, and nothing else about them. The only place in the product that patches: monkey patching must happen
before anything imports socket, ssl or threading, and must not happen for the other commands (multiprocessing hangs under it, COPY fails under
psycogreen's wait callback). That is why nothing is imported at the top here but sys.
"""

import sys

COOPERATIVE = (("run",), ("demo",), ("agent", "console"))


def is_cooperative(arguments: list[str]) -> bool:
    """Whether these command-line arguments (without the program's name) name a command that runs in a gevent loop.

    Options may stand anywhere, but before the command's name only such as take no value, or take it with "=".
    """
    words = tuple(word for word in arguments if not word.startswith("-"))
    return any(words[: len(command)] == command for command in COOPERATIVE)


def main() -> None:
    """The entry point `fs-dialer`. Ends the process with the exit codes of the command line."""
    if is_cooperative(sys.argv[1:]):
        from gevent import monkey

        monkey.patch_all()
        from psycogreen.gevent import patch_psycopg

        patch_psycopg()
    from fs_dialer.cli.main import main as command_line

    command_line(prog_name="fs-dialer")


if __name__ == "__main__":
    main()
