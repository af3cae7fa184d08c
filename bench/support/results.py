"""bench/RESULTS.md: a section for each thing that is measured, replaced when it is measured again."""

import re
import time
from pathlib import Path

FILE = Path(__file__).parent.parent / "RESULTS.md"
INTRODUCTION = """# Results

Written by `bench/compare`, `bench/grow`, `bench/streams` and `bench/push`; each replaces its own section.
"""


def table(heads, rows):
    """A table in Markdown: texts to the left, figures to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def number(value):
    """A figure with three digits that say something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def today():
    """Now, for a reader."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())


def write_section(heading, text):
    """Writes the section of this heading in the place of what it was, or at the end."""
    before = FILE.read_text() if FILE.exists() else INTRODUCTION
    introduction, *sections = re.split(r"^(?=## )", before, flags=re.MULTILINE)
    section = f"## {heading}\n\n{text.strip()}\n"
    kept = {part.splitlines()[0]: part.strip() + "\n" for part in sections}
    kept[f"## {heading}"] = section
    FILE.write_text("\n".join([introduction.strip() + "\n", *kept.values()]))
