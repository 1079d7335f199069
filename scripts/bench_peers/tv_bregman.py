"""Total variation denoising with scikit-image."""

import rasterio
from skimage.restoration import denoise_tv_bregman

with rasterio.open("db2048.tif") as source:
    image, profile = source.read(1), source.profile
result = denoise_tv_bregman(image, weight=0.35, isotropic=True, eps=1e-3)
with rasterio.open("tv_peer.tif", "w", **profile) as target:
    target.write(result.astype("float32"), 1)
