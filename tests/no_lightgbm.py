"""The beginning of a program on a machine that has no LightGBM."""

REFUSED = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "lightgbm":
            raise ImportError(name)

sys.meta_path.insert(0, Refused())
"""
