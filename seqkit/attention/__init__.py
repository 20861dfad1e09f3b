"""Attention (Deep Learning, 10.4): a weighted mean of a memory, with weights from a query."""

from seqkit.attention.attention import Attention, Memory
from seqkit.attention.attention_cell import AttentionCell
from seqkit.attention.bahdanau import BahdanauAttention, CoverageAttention, LocationAwareAttention
from seqkit.attention.luong import LuongAttention
from seqkit.attention.pointer_generator import PointerGenerator

__all__ = [
    "Attention",
    "AttentionCell",
    "BahdanauAttention",
    "CoverageAttention",
    "LocationAwareAttention",
    "LuongAttention",
    "Memory",
    "PointerGenerator",
]
