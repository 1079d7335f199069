"""A training step of 4 chips of 4 x 256 x 256 beside PyTorch's, 2 threads, in turns: the least of six steps each.

Recipe: a virtual environment with torch 2.13.0 and segmentation-models-pytorch 0.5.0, then `python scripts/bench_peers/training_step.py` in the
repository's root.
"""

import os
import resource
import subprocess
import sys
import time

ENVIRONMENT = dict(os.environ, OMP_WAIT_POLICY="PASSIVE")
OURS = ["cargo", "test", "--quiet", "--release", "--lib", "a_step_of_four_chips", "--", "--ignored", "--nocapture"]


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peer(encoder):
    import segmentation_models_pytorch as smp
    import torch

    torch.set_num_threads(2)
    n, c, i, j = torch.meshgrid(*map(torch.arange, (4, 4, 256, 256)), indexing="ij")
    x = ((n * 7 + c * 3 + i * 13 + j * 5) % 17).float() / 8 - 1
    y = ((i[:, 0] // 32 + j[:, 0] // 32) % 2).contiguous()
    model = smp.Unet(encoder, encoder_weights=None, in_channels=4, classes=2).train()
    step = torch.optim.AdamW(model.parameters(), lr=1e-3)
    least = wall = float("inf")
    for _ in range(6):
        begun, before = time.time(), cpu_seconds()
        step.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y, ignore_index=255)
        loss.backward()
        step.step()
        loss.item()
        least, wall = min(least, cpu_seconds() - before), min(wall, time.time() - begun)
    print(f"PyTorch {encoder}: {least:.2f} CPU s, {wall:.2f} s a step", flush=True)


if len(sys.argv) > 1:
    peer(sys.argv[1])
else:
    for _ in range(3):
        subprocess.run(OURS, env=ENVIRONMENT, check=True)
        for encoder in ("resnet18", "resnet50"):
            subprocess.run([sys.executable, __file__, encoder], env=ENVIRONMENT, check=True)
