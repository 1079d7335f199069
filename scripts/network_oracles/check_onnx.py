"""An ONNX file of perilune under onnx's own checker, and against PyTorch with the same weights.

Recipe: a virtual environment with torch 2.13.0, segmentation-models-pytorch 0.5.0, onnx, onnxruntime and safetensors, then
`python scripts/network_oracles/check_onnx.py model.onnx best.safetensors resnet18`, of a training by `learning.train`.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import load_file

path, weights, encoder = sys.argv[1:]
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
texts = {p.key: json.loads(p.value) for p in model.metadata_props}
state = load_file(weights)
channels, classes = state["encoder.conv1.weight"].shape[1], state["segmentation_head.0.weight"].shape[0]
net = smp.Unet(encoder, encoder_weights=None, in_channels=channels, classes=classes)
missing, unexpected = net.load_state_dict(state, strict=False)
assert not unexpected and all(k.endswith("num_batches_tracked") for k in missing), (missing, unexpected)
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
rng = np.random.default_rng(1)
for n, h, w in [(1, 64, 64), (2, 96, 160), (1, 256, 224)]:
    x = rng.standard_normal((n, channels, h, w), dtype=np.float32)
    (logits,) = session.run(None, {"image": x})
    with torch.no_grad():
        expected = net.eval()(torch.from_numpy(x)).numpy()
    print(n, h, w, "differs by", np.abs(logits - expected).max() / np.abs(expected).max(), "of the largest logit")
print("checked; metadata:", *texts)
