"""bAbI: questions about short stories."""

from datasets.card import Card

CARD = Card(
    title="Questions about short stories (bAbI)",
    data="bAbI 1.1, English, 20 tasks with 1,000 questions each (Weston et al. 2015), CC BY 3.0, "
    "https://research.facebook.com/downloads/babi/",
    licence="CC BY 3.0",
    model_licence="Apache-2.0; data CC BY 3.0",
    citation="Weston et al. 2015: Towards AI-Complete Question Answering: A Set of Prerequisite "
    "Toy Tasks, arXiv:1502.05698",
    releasable=True,
)
