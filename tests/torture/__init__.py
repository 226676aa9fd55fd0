"""The crash test: workers are killed at random while cloud and sink fail and senders repeat themselves; then everything is counted.

`python -m tests.torture` runs it; `tests/test_torture.py` is a short run of it.
"""
