"""YAML: values as double-quoted scalars, which read the same in every version of it."""

import json
import re

# What JSON writes as it is, and YAML takes for no text, or for the end of a line.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def quoted(value: object) -> str:
    """A text (or a number, as a text) between double quotes."""
    text = json.dumps(str(value), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
