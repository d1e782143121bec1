"""What happens to pictures: blur, noise and JPEG compression, each on 8-bit RGB PIL pictures.

`random_damage` is what the restore network is trained to undo.
"""
import io

import numpy as np
from PIL import Image, ImageFilter

CLEAN = 0.1                                        # share of pictures left alone on purpose
EACH = 0.6                                         # chance of each kind of damage in the others
NOISE = (0, 25)                                    # standard deviation in levels of 255 (Poisson: that of white)
BLUR = (0.2, 2.0)                                  # standard deviation in pixels
JPEG = (30, 90)                                    # quality


def blur(im, sigma):
    return im.filter(ImageFilter.GaussianBlur(sigma))


def _rounded(x):
    return Image.fromarray(np.clip(np.rint(x), 0, 255).astype(np.uint8))


def gaussian_noise(im, sigma, r):
    x = np.asarray(im).astype(np.float32)
    return _rounded(x + r.normal(0, sigma, x.shape))


def poisson_noise(im, sigma, r):
    """Photon noise: its variance grows with the brightness, its standard deviation at white is `sigma` > 0."""
    photons = (255 / sigma) ** 2
    return _rounded(r.poisson(np.asarray(im) / 255 * photons) / photons * 255)


def jpeg(im, quality, full_colour=False):
    """`full_colour`: 4:4:4 instead of 4:2:0."""
    b = io.BytesIO()
    im.save(b, "JPEG", quality=quality, subsampling=0 if full_colour else 2)
    return Image.open(b).convert("RGB")


def _some_noise(im, r):
    return (gaussian_noise, poisson_noise)[int(r.integers(2))](im, max(r.uniform(*NOISE), 1e-3), r)


def _some_blur(im, r):
    return blur(im, r.uniform(*BLUR))


def _some_jpeg(im, r):
    return jpeg(im, int(r.integers(JPEG[0], JPEG[1] + 1)), bool(r.random() < 0.3))


def random_damage(im, r):
    """`im` after any of noise, blur and JPEG compression, in any order and strength; sometimes after none."""
    if r.random() < CLEAN:
        return im
    for k in r.permutation(3):
        if r.random() < EACH:
            im = (_some_noise, _some_blur, _some_jpeg)[k](im, r)
    return im
