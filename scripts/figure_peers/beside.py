"""Each figure of the first folder beside the one with its name in the second, into the third."""

import pathlib
import sys

from PIL import Image

ours, theirs, out = map(pathlib.Path, sys.argv[1:])
out.mkdir(parents=True, exist_ok=True)
for path in sorted(ours.glob("*.png")):
    left, right = Image.open(path).convert("RGB"), Image.open(theirs / path.name).convert("RGB")
    both = Image.new("RGB", (left.width + right.width + 12, max(left.height, right.height)), "silver")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 12, 0))
    both.save(out / path.name)
