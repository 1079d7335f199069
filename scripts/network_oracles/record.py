"""What PyTorch and segmentation_models_pytorch answer, for tests/fixtures/learning/*.json.

Recipe: a virtual environment with torch 2.13.0 and segmentation-models-pytorch 0.5.0, then `python scripts/network_oracles/record.py`
in the repository's root. Nothing is fetched: all weights and images come from the formula in formula.py.
"""

import json
import pathlib

import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F

from formula import numbers, rounded, tensor, weights

OUT = pathlib.Path("tests/fixtures/learning")


def save(name, record):
    lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in record.items())
    (OUT / f"{name}.json").write_text("{\n" + lines + "\n}\n")


def operators():
    a = torch.ops.aten
    x, y = tensor(1, 2, 3, 4, 4), tensor(5, 2, 3, 4, 4)
    w, b = tensor(2, 4, 3, 3, 3), tensor(3, 4)
    found = {}

    def keep(name, *tensors):
        found[name] = [rounded(t.flatten().tolist()) for t in tensors]

    how = ([2, 2], [1, 1], [1, 1], False, [0, 0], 1)
    keep("convolution", a.convolution(x, w, b, *how))
    g = tensor(4, 2, 4, 2, 2)
    keep("convolution_backward", *a.convolution_backward(g, x, w, [4], *how, [True, True, True]))
    scale, shift = tensor(6, 3), tensor(7, 3)
    mean, var = tensor(8, 3), tensor(9, 3) + 1.5
    keep("normalise_by_running", a.native_batch_norm(x, scale, shift, mean, var, False, 0.1, 1e-5)[0])
    out, m, i, r = a._batch_norm_with_update(x, scale, shift, mean, var, 0.1, 1e-5)
    keep("normalise_by_batch", out, mean, var)
    keep(
        "normalise_backward",
        *a.batch_norm_backward(y, x, scale, mean, var, m, i, True, 1e-5, [True, True, True], r),
    )
    keep("relu_in_place", x.clone().relu_())
    keep("greater_multiply", y * (x > torch.tensor(0.0)))
    pooled, places = a.max_pool2d_with_indices(x, [3, 3], [2, 2], [1, 1], [1, 1], False)
    keep("max_pool", pooled)
    g = tensor(10, 2, 3, 2, 2)
    keep(
        "max_pool_backward",
        a.max_pool2d_with_indices_backward(g, x, [3, 3], [2, 2], [1, 1], [1, 1], False, places),
    )
    keep("double", F.interpolate(g, scale_factor=2, mode="nearest"))
    keep("double_backward", F.avg_pool2d(x, 2) * 4)
    keep("concatenate_narrow", torch.cat([x, y], 1).narrow(1, 2, 2))
    keep("add", x + y)
    keep("subtract", x - y)
    keep("multiply", x * y)
    keep("divide", x / y)
    keep("maximum", torch.maximum(x, y))
    keep("power", (x + 1) ** 1.5)
    keep("sum_of_channels", x.sum([0, 2, 3]))
    keep("sum", x.sum())
    keep("sigmoid", x.sigmoid())
    keep("log_sigmoid", F.logsigmoid(x))
    s = x.clone().requires_grad_()
    s.softmax(1).backward(y)
    keep("softmax", x.softmax(1), s.grad)
    s = x.clone().requires_grad_()
    s.log_softmax(1).backward(y)
    keep("log_softmax", x.log_softmax(1), s.grad)
    labels = torch.tensor([[0, 1, 2, 255] * 4, [2, 2, 255, 1] * 4]).reshape(2, 4, 4)
    s = x.clone().requires_grad_()
    loss = F.nll_loss(s, labels, scale, reduction="sum", ignore_index=255)
    loss.backward()
    keep("likelihood", loss, s.grad)
    keep("strongest", x.argmax(1))
    for name, kind in [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]:
        p = torch.nn.Parameter(w.clone())
        step = kind([p], lr=0.01, weight_decay=0.1)
        for seed in (11, 12):
            p.grad = tensor(seed, 4, 3, 3, 3)
            step.step()
        keep(name, p.detach())
    save("operators", found)


def losses():
    """smp's definitions, and PyTorch's cross entropy."""
    found = {}
    logits = tensor(21, 2, 3, 8, 8) * 3
    labels = torch.from_numpy(((numbers(22, 128) + 1) * 2).astype("int64")).reshape(2, 8, 8)
    labels[labels == 3] = 255
    found["labels"] = labels.flatten().tolist()
    weight = torch.tensor([0.5, 1.0, 3.0])
    kinds = {
        "cross entropy": lambda z, y: F.cross_entropy(z, y, ignore_index=255),
        "weighted cross entropy": lambda z, y: F.cross_entropy(z, y, weight, ignore_index=255),
        "dice": smp.losses.DiceLoss("multiclass", ignore_index=255),
        "focal": smp.losses.FocalLoss("multiclass", ignore_index=255),
        "focal, gamma 3": smp.losses.FocalLoss("multiclass", ignore_index=255, gamma=3.0),
    }
    # A class without a pixel counts for nothing in Dice.
    without = labels.clone()
    without[without == 1] = 255
    for name, kind in kinds.items():
        for suffix, y in [("", labels), (", class 1 absent", without)]:
            z = logits.clone().requires_grad_()
            value = kind(z, y)
            value.backward()
            found[name + suffix] = [value.item(), rounded(z.grad.flatten()[::7].tolist())]
    save("losses", found)


def network(encoder, channels, classes):
    torch.manual_seed(0)
    model = smp.Unet(encoder, encoder_weights=None, in_channels=channels, classes=classes)
    weights(model)
    x = tensor(31, 2, channels, 64, 64)
    y = torch.from_numpy(((numbers(32, 2 * 64 * 64) + 1) / 2 * (classes + 0.5)).astype("int64")).reshape(2, 64, 64)
    y[y == classes] = 255
    weight = torch.arange(1, classes + 1, dtype=torch.float32)
    found = {"shapes": {k: list(v.shape) for k, v in model.state_dict().items() if not k.endswith("tracked")}}
    every = 101

    def sample(t):
        return rounded(t.detach().flatten()[::every].tolist())

    with torch.no_grad():
        found["eval"] = sample(model.eval()(x))
    model.train()
    step = torch.optim.Adam(model.parameters(), lr=1e-4)
    logits = model(x)
    found["train"] = sample(logits)
    loss = F.cross_entropy(logits, y, weight, ignore_index=255)
    found["loss"] = loss.item()
    loss.backward()
    found["gradients"] = {k: float(f"{p.grad.double().norm().item():.9g}") for k, p in model.named_parameters()}
    step.step()
    state = model.state_dict()
    found["after"] = {
        k: rounded(v.flatten()[:: max(1, v.numel() // 5)].tolist()) for k, v in state.items() if not k.endswith("tracked")
    }
    with torch.no_grad():
        found["loss after"] = F.cross_entropy(model(x), y, weight, ignore_index=255).item()
    save(encoder, found)


def plateau():
    losses = [1.0, 0.9, 0.9, 0.89999, 0.91, 0.92, 0.8, 0.81, 0.82, 0.83] + [0.9] * 12
    p = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.Adam([p], lr=1e-3)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=2, min_lr=1e-4)
    rates = []
    for loss in losses:
        schedule.step(loss)
        rates.append(optimiser.param_groups[0]["lr"])
    save("plateau", {"losses": losses, "rates": rates})


def state_dict():
    """As torch.save writes one below a key, with kinds of floats and a count."""
    state = {
        "encoder.conv1.weight": tensor(41, 2, 3, 1, 1),
        "half": tensor(42, 5).half(),
        "brain": tensor(43, 5).bfloat16(),
        "double": tensor(44, 5).double(),
        "turned": tensor(45, 3, 2).t(),
        "encoder.bn1.num_batches_tracked": torch.tensor(7),
    }
    torch.save({"state_dict": state, "epoch": 3}, OUT / "state.pt")
    save("state", {k: v.float().flatten().tolist() for k, v in state.items() if v.is_floating_point()})


def broken():
    """Weights of a convolution of 1 x 1 from two channels, one of them no number."""
    torch.save({"a.weight": torch.tensor([1.0, float("nan")]).reshape(1, 2, 1, 1), "a.bias": torch.zeros(1)}, OUT / "broken.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    OUT.mkdir(parents=True, exist_ok=True)
    operators()
    losses()
    plateau()
    state_dict()
    broken()
    network("resnet18", 4, 2)
    network("resnet34", 3, 2)
    network("resnet50", 2, 3)
