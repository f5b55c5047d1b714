"""Labels: ZPL by a template, and the printers it goes to.

A printer is never asked about a unit and never judges one: whatever is wrong with it is waited for, by its name.
"""

from .printer import LabelPrinter, PrinterKind, PrinterTrouble
from .table import KINDS, printer_of
from .template import Template, parse_template

__all__ = ["KINDS", "LabelPrinter", "PrinterKind", "PrinterTrouble", "Template", "parse_template", "printer_of"]
