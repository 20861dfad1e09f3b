"""Linear-chain conditional random field: log-potentials, and pure functions of them.

A CRF scores a whole sequence of tags y given x:

    p(y | x) = exp(sum_t P_t[y_{t-1}, y_t]) / Z,    P_t[i, j] = A[i, j] + u_t[j]

where u are the scores of the tags at each step (a network's outputs) and A the scores of their
transitions. The layer `CRF` turns u into the log-potentials P (batch, time, tags, tags), with the
mask, the first and the last step folded in: a masked step is the identity, and every path starts in
tag 0 with score 0. Everything else is computed from P alone: `crf_loss`, `log_partition`,
`viterbi`, `n_best`, `marginals`.

All of them accept the symbolic tensors of a functional model, too. They are as precise for a
sequence of 20,000 steps as for one of 20: a probability is never the difference of two sums over
the sequence.

A score of -inf counts as -1e9. A score of +inf or NaN makes every number of its sequence NaN; its
tags mean nothing. In potentials of your own, write -1e9 in place of -inf.

Potentials are float32: a score s is rounded by up to 6e-8 |s|. So if the largest score of a step
lies outside of [-32, 32], it is subtracted from all scores of that step. Probabilities, and so the
loss, marginals and searches, don't depend on it; `log_partition` and `path_score` are less by the
sum of what was subtracted. What remains rounded are scores far below the largest of their step.
They matter only if constraints forbid the better ones.

Source:
    Lafferty et al. 2001; Collobert et al. 2011, 3.3.2; Lample et al. 2016, 2.2.
"""

from seqkit.crf.constraints import transition_constraints
from seqkit.crf.inference import log_partition, marginals
from seqkit.crf.layer import CRF
from seqkit.crf.loss import CRFLoss, crf_loss, path_score
from seqkit.crf.metric import CRFAccuracy
from seqkit.crf.potentials import log_potentials
from seqkit.crf.search import n_best, viterbi

__all__ = [
    "CRF",
    "CRFAccuracy",
    "CRFLoss",
    "crf_loss",
    "log_partition",
    "log_potentials",
    "marginals",
    "n_best",
    "path_score",
    "transition_constraints",
    "viterbi",
]
