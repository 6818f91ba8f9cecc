"""The fault matrix has 44 rows, and each has its tests, named by its number."""

import ast
import re
from pathlib import Path

ROWS = 44


def test_every_row_has_a_test_with_its_rule() -> None:
    """For each number there is a test whose name begins with it, and whose docstring says what must come of it."""
    proven: dict[int, list[str]] = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (found := re.match(r"test_(\d\d)_", node.name)):
                rule = ast.get_docstring(node)
                assert rule, node.name
                assert rule.endswith("."), node.name
                proven.setdefault(int(found[1]), []).append(node.name)
    assert sorted(proven) == list(range(1, ROWS + 1))
