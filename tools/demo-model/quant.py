"""What a stored format does to weights: each function returns the F32 values that a reader of the format gets back."""
import torch


def q4_0(w):
    """Blocks of 32 along a row: the largest value maps to -8, a step is kept as F16, the rest rounds to -8..7."""
    b = w.reshape(-1, 32).float()
    largest = b.gather(1, b.abs().argmax(1, keepdim=True))
    step = largest / -8
    inverse = torch.where(step == 0, torch.zeros_like(step), 1 / step)
    q = torch.clamp(torch.floor(b * inverse + 8.5), max=15) - 8
    return (q * step.half().float()).reshape(w.shape)


def q8_0(w):
    """Blocks of 32 along a row: symmetric, the largest magnitude maps to 127, the step is kept as F16."""
    b = w.reshape(-1, 32).float()
    step = b.abs().amax(1, keepdim=True) / 127
    inverse = torch.where(step == 0, torch.zeros_like(step), 1 / step)
    x = b * inverse
    q = torch.sign(x) * torch.floor(x.abs() + 0.5)
    return (q * step.half().float()).reshape(w.shape)


FORMATS = {"F32": None, "Q8_0": q8_0, "Q4_0": q4_0}


class Swapped:
    """While open, the model's matrices hold what `fmt` makes of them; closing puts the exact ones back.

    Around a training step's forward and backward pass this is quantisation-aware training with straight-through gradients.
    """

    def __init__(self, model, fmt):
        self.matrices = [p for p in model.parameters() if p.ndim == 2]
        self.fmt = fmt
        self.kept = [torch.empty_like(p) for p in self.matrices] if fmt else []

    @torch.no_grad()
    def __enter__(self):
        if self.fmt:
            torch._foreach_copy_(self.kept, self.matrices)
            flat = self.fmt(torch.cat([p.view(-1, 32) for p in self.matrices]))
            parts = flat.split([p.numel() // 32 for p in self.matrices])
            torch._foreach_copy_(self.matrices, [x.view_as(p) for x, p in zip(parts, self.matrices)])

    @torch.no_grad()
    def __exit__(self, *_):
        if self.fmt:
            torch._foreach_copy_(self.matrices, self.kept)
