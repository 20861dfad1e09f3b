"""Multi30k: image descriptions in English, German and French."""

from datasets.card import Card

CARD = Card(
    title="Image descriptions in English, German and French (Multi30k)",
    data="Multi30k (Elliott et al. 2016: Multi30K: Multilingual English-German Image "
    "Descriptions), for research only, https://github.com/multi30k/dataset",
    licence="that of Flickr30K's descriptions: non-commercial research and education only",
    model_licence="research only, as its data",
    citation="Elliott, Frank, Sima'an and Specia 2016: Multi30K: Multilingual English-German Image "
    "Descriptions, Workshop on Vision and Language",
    releasable=False,
)
