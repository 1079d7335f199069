"""What PyTorch answers to the look that perilune has at libtorch when it opens it (src/learning/torch/probe.rs).

Recipe: a virtual environment with torch 2.13.0, then `python scripts/network_oracles/probe.py`.
"""

import torch
import torch.nn.functional as F


def numbers(count, step):
    return torch.tensor([(i * 7) % 11 * step - 0.5 for i in range(count)], dtype=torch.float32)


image = numbers(16, 0.1).reshape(1, 1, 4, 4)
kernel = numbers(18, 0.125).reshape(2, 1, 3, 3).requires_grad_()
norm = torch.nn.BatchNorm2d(2)
logits = norm(F.conv2d(image, kernel, padding=1))
labels = (torch.arange(16) % 2).reshape(1, 4, 4)
loss = F.cross_entropy(logits, labels, reduction="sum")
loss.backward()
print(
    [loss.item()]
    + norm.weight.grad.tolist()
    + norm.running_var.tolist()
    + kernel.grad.flatten()[::8].tolist()
)
