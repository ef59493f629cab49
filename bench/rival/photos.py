"""Cuts photographs into crops for BlazeFace: [n, 256, 256, 3] float32 from -1 to 1, as calibration.npy and test.npy.

    python photos.py --portraits face_recognition-1.3.0.tar.gz --out FOLDER
"""

import argparse
import io
import tarfile
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

SIDE = 256
CROPS_PER_PHOTO = 16
# Photographs, not crops, are kept apart: crops of one photograph are too much alike.
CALIBRATION = ["biden.jpg", "obama2.jpg", "coffee.png", "chelsea.png"]
TEST = ["obama.jpg", "astronaut.png", "rocket.jpg"]


def photograph(name, portraits):
    file = Path(skimage.__file__).parent / "data" / name
    if file.exists():
        return Image.open(file).convert("RGB")
    with tarfile.open(portraits) as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith("/tests/test_images/" + name))
        return Image.open(io.BytesIO(archive.extractfile(member).read())).convert("RGB")


def crops(name, portraits, random):
    image = photograph(name, portraits)
    shortest = min(image.size)
    for index in range(CROPS_PER_PHOTO):
        # From the whole height (the face is small) down to a third of it (the face fills the crop).
        side = int(shortest * (1 if index == 0 else random.uniform(1 / 3, 1)))
        left = int(random.uniform(0, image.width - side + 1))
        top = int(random.uniform(0, image.height - side + 1))
        crop = image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.BILINEAR)
        if index % 2:
            crop = crop.transpose(Image.FLIP_LEFT_RIGHT)
        yield np.asarray(crop, dtype=np.float32) / 127.5 - 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--portraits", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    random = np.random.default_rng(1)
    for part, names in {"calibration": CALIBRATION, "test": TEST}.items():
        images = [crop for name in names for crop in crops(name, arguments.portraits, random)]
        np.save(Path(arguments.out) / f"{part}.npy", np.stack(images))


main()
