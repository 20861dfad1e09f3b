"""Shared parts of apps: the command line, the run folder, training, reporting."""

from apps.common.command_line import main

__all__ = ["main"]
