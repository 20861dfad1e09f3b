"""CoNLL-2000: text chunking."""

from datasets.card import Card

CARD = Card(
    title="Chunks of English (CoNLL-2000)",
    data="CoNLL-2000 chunking (Tjong Kim Sang and Buchholz 2000), from the Wall Street Journal "
    "part of the Penn Treebank, https://www.clips.uantwerpen.be/conll2000/chunking/",
    licence="none given; for research only",
    model_licence="research only, as its data",
    citation="Tjong Kim Sang and Buchholz 2000: Introduction to the CoNLL-2000 Shared Task: "
    "Chunking, CoNLL and LLL",
    releasable=False,
)
