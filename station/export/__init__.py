"""The journal as files for other people: CSV for a spreadsheet, JSON lines for a program, plain text for an auditor.

All of them stream, none of them holds a secret.
"""

from .csvfile import write_csv
from .dump import write_dump
from .jsonl import write_jsonl

__all__ = ["write_csv", "write_dump", "write_jsonl"]
