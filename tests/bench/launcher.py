"""Start a command, and write down what it cost: `python -I -S launcher.py FILE SECONDS COMMAND [WORD ...]`.

A process of its own, and a small one: Linux counts into the peak of a process the memory of the one that started it.
FILE gets JSON: `cpu_s` (user and system, of the command and of its children), `wall_s`, `rss_mb` (the largest of these
processes) and `code`, negative for a signal. After SECONDS (0: never) the command is killed, and `code` is null.
"""

import json
import os
import signal
import sys
import time


def main() -> None:
    """Do it."""
    file, seconds, words = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    late = False
    began = time.perf_counter()
    process = os.posix_spawnp(words[0], words, os.environ)

    def give_up(*_: object) -> None:
        nonlocal late
        late = True
        os.kill(process, signal.SIGKILL)

    def end(*_: object) -> None:
        os.kill(process, signal.SIGTERM)

    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - began
    told = {"cpu_s": used.ru_utime + used.ru_stime, "wall_s": wall, "rss_mb": used.ru_maxrss / 1024}
    with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123 -- pathlib would cost memory
        json.dump({**told, "code": None if late else os.waitstatus_to_exitcode(status)}, out)


if __name__ == "__main__":
    main()
