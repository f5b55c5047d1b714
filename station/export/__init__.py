"""Exports of the journal: CSV for a spreadsheet, JSON lines for a program, plain text for an auditor.

All of them stream, and none contains a secret.
"""

from .batch_log import COLUMNS, BatchLog, Column, Type
from .csvfile import CSV
from .dump import write_dump
from .exporter import Exporter
from .jsonl import JSONL
from .table import EXPORTERS, export, exporter_names, find_exporter

__all__ = [
    "COLUMNS",
    "CSV",
    "EXPORTERS",
    "JSONL",
    "BatchLog",
    "Column",
    "Exporter",
    "Type",
    "export",
    "exporter_names",
    "find_exporter",
    "write_dump",
]
