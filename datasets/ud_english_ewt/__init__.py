"""Universal Dependencies English EWT: parts of speech of web texts."""

from datasets.card import Card

CARD = Card(
    title="Parts of speech of English (Universal Dependencies)",
    data="Universal Dependencies English EWT r2.10 (Silveira et al. 2014: A Gold Standard "
    "Dependency Corpus for English, LREC), CC BY-SA 4.0, "
    "https://github.com/UniversalDependencies/UD_English-EWT",
    licence="CC BY-SA 4.0",
    model_licence="CC BY-SA 4.0, as its data",
    citation="Silveira et al. 2014: A Gold Standard Dependency Corpus for English, LREC",
    releasable=True,
)
