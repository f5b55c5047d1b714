"""A virtual label printer: reads ZPL by itself, prints what a scanner would see, and has the troubles of a real one."""

from .printer import Label, Says, VirtualPrinter
from .zpl import Code

__all__ = ["Code", "Label", "Says", "VirtualPrinter"]
