"""Copy, repeat copy, associative recall and priority sort of random bits."""

from datasets.card import Card

CARD = Card(
    title="Algorithmic tasks on random bits",
    data="random bits, drawn as they are needed, for the tasks of Graves et al. 2014, "
    "https://arxiv.org/abs/1410.5401",
    licence="Apache-2.0",
    model_licence="Apache-2.0",
    citation="Graves, Wayne and Danihelka 2014: Neural Turing Machines, arXiv:1410.5401",
    releasable=True,
)
