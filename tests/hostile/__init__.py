"""The hostile calls of tests/test_hostile.py and benchmarks/fuzz.py."""
