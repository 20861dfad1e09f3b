"""What helps recurrent nets to be trained."""

from seqkit.training.nan_guard import NanGuard

__all__ = ["NanGuard"]
