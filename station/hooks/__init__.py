"""Hooks for a MES: what happened is told at least once and in order, and a unit may be refused before its first write.

The journal is the queue: an event is an entry of it, and each hook remembers how far it has told. No hook ever holds
the line longer than its ``timeout_s``, unless the config file says ``otherwise = "hold"``.
"""

from .channel import Channel, Hook, HookTrouble
from .question import MayStart
from .table import hook_of
from .worker import HookWorker

__all__ = ["Channel", "Hook", "HookTrouble", "HookWorker", "MayStart", "hook_of"]
