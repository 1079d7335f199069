"""U-Nets over a scene: perilune as a whole process beside onnxruntime called from Python on arrays in memory; the notebooks' windows beside
overlapping ones, and how far each is from the whole image at once; a scene of 30,000 x 30,000 pixels.

Recipe: a virtual environment with numpy, rasterio, onnx and onnxruntime 1.32.0; then, in a folder of its own,
`python REPOSITORY/scripts/bench_peers/inference.py PERILUNE [tiles|seams|large]...`.
"""

import os
import resource
import subprocess
import sys
import time

import numpy as np

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inference.lua")


def spent(command):
    """CPU seconds, wall seconds, peak in MiB and bytes of output of a process."""
    begun = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, time.time() - begun, usage.ru_maxrss / 1024


def session(model):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def normalised(model):
    """The scene as the model takes it: what perilune wrote into the file says how."""
    import json

    import onnx
    import rasterio

    told = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    bands = json.loads(told["perilune"])["bands"]
    with rasterio.open("scene.tif") as file:
        image = file.read()
    for i, band in enumerate(bands):
        image[i] = (image[i] - band["mean"]) / band["std"]
    return image


def probability(logits):
    grown = np.exp(logits - logits.max(axis=0))
    return (grown / grown.sum(axis=0))[1]


def peer(model):
    """25 tiles from memory: CPU seconds of the loop alone."""
    image, run = normalised(model), session(model)
    run.run(None, {"image": image[None, :, :512, :512]})
    begun, before = time.time(), sum(os.times()[:2])
    for row in range(0, 2560, 512):
        for col in range(0, 2560, 512):
            run.run(None, {"image": np.ascontiguousarray(image[None, :, row : row + 512, col : col + 512])})
    print(f"{sum(os.times()[:2]) - before:.2f} {time.time() - begun:.2f}")


def tiles(perilune):
    for model in ("resnet18.onnx", "resnet50.onnx"):
        for _ in range(2):
            cpu, wall, peak = spent([perilune, "-q", "--threads", "2", "run", SCRIPT, "--model", model])
            print(f"{model}: perilune, whole process: {cpu:.2f} s CPU, {wall:.2f} s, {peak:.0f} MiB", flush=True)
            out = subprocess.run([sys.executable, __file__, "--peer", model], capture_output=True, text=True, check=True).stdout.split()
            print(f"{model}: onnxruntime from Python, its loop alone: {out[0]} s CPU, {out[1]} s", flush=True)


def seams(perilune):
    import rasterio

    model, size = "resnet18.onnx", 1536
    image, run = normalised(model)[:, :size, :size], session(model)
    whole = probability(run.run(None, {"image": image[None]})[0][0])
    pasted, count = np.zeros((size, size), np.float32), 0
    for row in range(0, size - 511, 128):
        for col in range(0, size - 511, 128):
            count += 1
            window = run.run(None, {"image": np.ascontiguousarray(image[None, :, row : row + 512, col : col + 512])})[0][0]
            pasted[row : row + 512, col : col + 512] = probability(window)
    with rasterio.open("scene.tif") as file:
        profile = {**file.profile, "width": size, "height": size}
        part = file.read(window=((0, size), (0, size)))
        names = file.descriptions
    os.rename("scene.tif", "all.tif")
    try:
        with rasterio.open("scene.tif", "w", **profile) as file:
            file.write(part)
            file.descriptions = names
            file.units = ["dB", "dB"]
        found = [("notebook, stride 128, the last window counts", count, pasted)]
        for overlap, blend in ((64, "hann"), (128, "hann"), (256, "crop")):
            spent([perilune, "-q", "run", SCRIPT, "--model", model, "--overlap", str(overlap), "--blend", blend])
            with rasterio.open("probability.tif") as file:
                lattice = -(-(size - 512) // (512 - overlap)) + 1
                found.append((f"perilune, {blend}, overlap {overlap}", lattice**2, file.read(1)))
    finally:
        os.replace("all.tif", "scene.tif")
    for name, windows, made in found:
        off = np.abs(made - whole)
        print(f"{name}: {windows} windows; mean {off.mean():.5f}, largest {off.max():.3f}, other class {np.mean((made > 0.5) != (whole > 0.5)):.2%}")


def large(perilune):
    from onnx import TensorProto, helper, numpy_helper, save

    random = np.random.default_rng(1)
    weights = [random.normal(0, 0.2, (8, 4, 3, 3)), random.normal(0, 0.2, (3, 8, 3, 3))]
    given = [numpy_helper.from_array(w.astype(np.float32), f"w{i}") for i, w in enumerate(weights)]
    nodes = [
        helper.make_node("Conv", ["image", "w0"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w1"], ["logits"], pads=[1, 1, 1, 1]),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", bands, "h", "w"]) for name, bands in (("image", 4), ("logits", 3))]
    graph = helper.make_graph(nodes, "small", ports[:1], ports[1:], given)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "small.onnx")
    cpu, wall, peak = spent([perilune, "-q", "--threads", "2", "--memory", "768M", "run", SCRIPT, "--what", "large"])
    print(f"30,000 x 30,000, 4 bands: {cpu:.0f} s CPU, {wall:.0f} s, {peak:.0f} MiB, {cpu / wall / 2:.0%} of 2 cores busy")


if sys.argv[1] == "--peer":
    peer(sys.argv[2])
else:
    if not os.path.exists("resnet50.onnx"):
        spent([sys.argv[1], "-q", "run", SCRIPT, "--what", "data"])
    for name in sys.argv[2:] or ["tiles", "seams", "large"]:
        {"tiles": tiles, "seams": seams, "large": large}[name](sys.argv[1])
