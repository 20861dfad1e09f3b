"""Tatoeba: English sentences and their German translations."""

from datasets.card import Card

CARD = Card(
    title="Short sentences in English and German (Tatoeba)",
    data="sentences of Tatoeba, https://tatoeba.org, CC BY 2.0 FR, as paired by "
    "manythings.org/anki",
    licence="CC BY 2.0 FR",
    model_licence="CC BY 2.0 FR, as its data",
    citation="Tatoeba contributors: Tatoeba: a collection of sentences and translations, as "
    "packaged by www.manythings.org/anki, file of 2018-05-13",
    releasable=True,
)
