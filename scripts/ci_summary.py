"""Adds up the closing lines of the logs in a folder: `N passed, N failed, N skipped`.

A linter counts as one check. A step that ended badly without naming a failure counts as one.
"""

import re
import sys
from collections import Counter
from pathlib import Path

CLOSING = re.compile(r"(\d+) (passed|failed|skipped|xfailed|xpassed|errors?)\b")


def count(log: Path) -> Counter[str]:
    """What one step's log says, in the words passed, failed, skipped."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    counts: Counter[str] = Counter()
    closing = [
        line for line in lines if re.search(r"\d+ (passed|failed|skipped|error).* in [\d.]+s", line)
    ]
    for number, word in CLOSING.findall(closing[-1]) if closing else []:
        word = {"error": "failed", "errors": "failed", "xfailed": "skipped"}.get(word, word)
        counts[word] += int(number)
    for line in lines:
        if found := re.fullmatch(r"lint: [\w-]+ (passed|failed)", line):
            counts[found[1]] += 1
    status = log.with_suffix(".status").read_text(encoding="utf-8").strip()
    if status != "0" and not counts["failed"]:
        counts["failed"] += 1
    return counts


if __name__ == "__main__":
    total: Counter[str] = Counter()
    for path in sorted(Path(sys.argv[1]).glob("*.log")):
        if path.stem != "summary":
            total += count(path)
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
