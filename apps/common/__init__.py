"""What apps share: the command line, the run folder, fit and resume, reporting."""

from apps.common.command_line import main

__all__ = ["main"]
