"""The NTM and the DNC in PyTorch, in the usual style: one module each, a Python loop over steps.

The published implementations, pytorch-ntm and pytorch-dnc, are not packaged for current versions of
PyTorch, so these are written from the papers: LSTM controller, one read and one write head, and the
same sizes as ours. The initial states are simplified, since only the operations of a step cost
time.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-6


class NTM(nn.Module):
    """Graves et al. 2014; (time, batch, inputs) -> (time, batch, outputs)."""

    def __init__(self, inputs: int, outputs: int, units: int, slots: int, word: int) -> None:
        super().__init__()
        self.slots, self.word, self.units = slots, word, units
        self.controller = nn.LSTMCell(inputs + word, units)
        self.read_head = nn.Linear(units, word + 6)  # k, beta, g, s, gamma
        self.write_head = nn.Linear(units, 3 * word + 6)  # and e, a
        self.output = nn.Linear(units + word, outputs)

    def address(self, memory: Tensor, head: Tensor, previous: Tensor) -> Tensor:
        key, beta, g, s, gamma = head.split([self.word, 1, 1, 3, 1], dim=1)
        similarity = F.cosine_similarity(memory + EPSILON, key.unsqueeze(1) + EPSILON, dim=-1)
        content = F.softmax(F.softplus(beta) * similarity, dim=1)
        g, s, gamma = torch.sigmoid(g), F.softmax(s, dim=1), 1 + F.softplus(gamma)
        gated = g * content + (1 - g) * previous
        shifted = sum(s[:, j : j + 1] * gated.roll(j - 1, dims=1) for j in range(3))
        sharp = (shifted + EPSILON) ** gamma
        return sharp / sharp.sum(dim=1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[1]
        state = x.new_zeros(batch, self.units), x.new_zeros(batch, self.units)
        memory = x.new_full((batch, self.slots, self.word), EPSILON)
        read_w = write_w = F.one_hot(torch.zeros(batch, dtype=torch.long), self.slots).float()
        r = x.new_zeros(batch, self.word)
        outputs = []
        for step in x:
            h, _ = state = self.controller(torch.cat([step, r], dim=1), state)
            head, e, a = self.write_head(h).split([self.word + 6, self.word, self.word], dim=1)
            write_w = self.address(memory, head, write_w)
            w = write_w.unsqueeze(2)
            memory = memory * (1 - w * torch.sigmoid(e).unsqueeze(1)) + w * a.unsqueeze(1)
            read_w = self.address(memory, self.read_head(h), read_w)
            r = torch.bmm(read_w.unsqueeze(1), memory).squeeze(1)
            outputs.append(self.output(torch.cat([h, r], dim=1)))
        return torch.stack(outputs)


class DNC(nn.Module):
    """Graves et al. 2016; (time, batch, inputs) -> (time, batch, outputs)."""

    def __init__(self, inputs: int, outputs: int, units: int, slots: int, word: int) -> None:
        super().__init__()
        self.slots, self.word, self.units = slots, word, units
        self.controller = nn.LSTMCell(inputs + word, units)
        # k^r, beta^r, k^w, beta^w, e, v, f, g^a, g^w, pi
        self.widths = [word, 1, word, 1, word, word, 1, 1, 1, 3]
        self.interface = nn.Linear(units, sum(self.widths))
        self.output = nn.Linear(units + word, outputs)

    def content(self, memory: Tensor, key: Tensor, beta: Tensor) -> Tensor:
        similarity = F.cosine_similarity(memory + EPSILON, key.unsqueeze(1) + EPSILON, dim=-1)
        return F.softmax((1 + F.softplus(beta)) * similarity, dim=1)

    def allocation(self, usage: Tensor) -> Tensor:
        usage = EPSILON + (1 - EPSILON) * usage
        ordered, free_list = usage.sort(dim=1)
        product = ordered.cumprod(dim=1) / ordered
        return ((1 - ordered) * product).gather(1, free_list.argsort(dim=1))

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[1]
        state = x.new_zeros(batch, self.units), x.new_zeros(batch, self.units)
        memory = x.new_zeros(batch, self.slots, self.word)
        links = x.new_zeros(batch, self.slots, self.slots)
        usage = precedence = write_w = read_w = x.new_zeros(batch, self.slots)
        off_diagonal = 1 - torch.eye(self.slots)
        r = x.new_zeros(batch, self.word)
        outputs = []
        for step in x:
            h, _ = state = self.controller(torch.cat([step, r], dim=1), state)
            interface = self.interface(h).split(self.widths, dim=1)
            k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi = interface
            usage = usage + (1 - usage) * write_w
            usage = usage * (1 - torch.sigmoid(f) * read_w)
            g_a, g_w, pi = torch.sigmoid(g_a), torch.sigmoid(g_w), F.softmax(pi, dim=1)
            content = self.content(memory, k_w, beta_w)
            write_w = g_w * (g_a * self.allocation(usage) + (1 - g_a) * content)
            w = write_w.unsqueeze(2)
            memory = memory * (1 - w * torch.sigmoid(e).unsqueeze(1)) + w * v.unsqueeze(1)
            links = (1 - w - w.transpose(1, 2)) * links + w * precedence.unsqueeze(1)
            links = links * off_diagonal
            precedence = (1 - write_w.sum(dim=1, keepdim=True)) * precedence + write_w
            forward = torch.bmm(links, read_w.unsqueeze(2)).squeeze(2)
            backward = torch.bmm(read_w.unsqueeze(1), links).squeeze(1)
            content = self.content(memory, k_r, beta_r)
            read_w = pi[:, :1] * backward + pi[:, 1:2] * content + pi[:, 2:] * forward
            r = torch.bmm(read_w.unsqueeze(1), memory).squeeze(1)
            outputs.append(self.output(torch.cat([h, r], dim=1)))
        return torch.stack(outputs)
