"""The built-in data sets: names, shapes, licences, and the checksums of their published files.

MD5 sums of compressed files are those that torchvision's loaders hold. MD5 sums of the uncompressed MNIST and
Fashion-MNIST files let a copy that was compressed anew pass; for Kuzushiji-MNIST none are known here.
"""

from __future__ import annotations

from harness import DatasetSpec, RemoteFile
from harness.builtin.datasets.names import CIFAR10, CIFAR100, DIGITS, FASHION, KUZUSHIJI, STACKED, STL10

_HERE = "harness.builtin.datasets"

#: header and pixels of the four IDX files: 16 + n * 28 * 28 bytes of images, 8 + n of labels
_IDX_SIZES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}


def _idx(base: str, packed: tuple[str, ...], unpacked: tuple[str | None, ...] = (None,) * 4) -> tuple[RemoteFile, ...]:
    """The four files of an MNIST-like set, with MD5 sums in the order of `_IDX_SIZES`."""
    return tuple(
        RemoteFile(
            name=f"{name}.gz",
            url=f"{base}{name}.gz",
            md5=md5,
            contents=(RemoteFile(name=name, md5=inner, size=size),),
        )
        for (name, size), md5, inner in zip(_IDX_SIZES.items(), packed, unpacked, strict=True)
    )


def _folder(folder: str, sums: dict[str, tuple[str, int | None]]) -> tuple[RemoteFile, ...]:
    """Members of an archive that all lie in one folder: name to MD5 and size."""
    return tuple(RemoteFile(name=f"{folder}/{name}", md5=md5, size=size) for name, (md5, size) in sums.items())


_MNIST = _idx(
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
)

_FASHION = _idx(
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    (
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
)

_KMNIST = _idx(
    "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
)

_CIFAR10 = RemoteFile(
    name="cifar-10-python.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    md5="c58f30108f718f92721af3b95e74349a",
    contents=_folder(
        "cifar-10-batches-py",
        {
            "data_batch_1": ("c99cafc152244af753f735de768cd75f", None),
            "data_batch_2": ("d4bba439e000b95fd0a9bffe97cbabec", None),
            "data_batch_3": ("54ebc095f3ab1f0389bbae665268c751", None),
            "data_batch_4": ("634d18415352ddfa80567beed471001a", None),
            "data_batch_5": ("482c414d41f54cd18b22e5b47cb7c3cb", None),
            "test_batch": ("40351d587109b95175f43aff81a1287e", None),
        },
    ),
)

_CIFAR100 = RemoteFile(
    name="cifar-100-python.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    md5="eb9058c3a382ffc7106e4002c42a8d85",
    contents=_folder(
        "cifar-100-python",
        {
            "train": ("16019d7e3df5f24257cddd939b257f8d", None),
            "test": ("f0ef6b0ae62326f3e7ffdfab6717acfc", None),
        },
    ),
)

_STL10 = RemoteFile(
    name="stl10_binary.tar.gz",
    url="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    md5="91f7769df0f17e558f3565bffb0c7dfb",
    contents=_folder(
        "stl10_binary",
        {
            "train_X.bin": ("918c2871b30a85fa023e0c44e0bee87f", 138_240_000),
            "train_y.bin": ("5a34089d4802c674881badbb80307741", 5_000),
            "test_X.bin": ("7f263ba9f9e0b06b93213547f721ac82", 221_184_000),
            "test_y.bin": ("36f9794fa4beb8a2c72628de14fa638e", 8_000),
            "unlabeled_X.bin": ("5242ba1fed5e4be9e1e742405eb56ca4", 2_764_800_000),
        },
    ),
)

SPECS: tuple[DatasetSpec, ...] = (
    DatasetSpec(
        name="digits",
        summary="1,797 handwritten digits of 8x8 pixels, shipped with scikit-learn",
        load=f"{_HERE}.digits:load",
        kind="images",
        shape=(1, 8, 8),
        classes=DIGITS,
        splits={"train": 1437, "test": 360},
        licence="CC BY 4.0",
        source="scikit-learn's load_digits: test set of https://archive.ics.uci.edu/dataset/80",
        extractors=("digits-cnn", "pixels"),
    ),
    DatasetSpec(
        name="gaussian_clusters",
        summary="endless points from four Gaussian clusters of unequal weight, two of which overlap",
        load=f"{_HERE}.points:gaussian_clusters",
        kind="points",
        shape=(2,),
        classes=tuple(f"cluster {k}" for k in range(4)),
        splits={"train": None, "test": None},
        licence="none needed (synthetic)",
        source="Cho (2025), PhD thesis, Concordia: the clusters of its first experiments",
        extractors=(),
        modes=f"{_HERE}.points:gaussian_clusters_modes",
    ),
    DatasetSpec(
        name="ring2d",
        summary="100,000 points from 8 narrow Gaussians on a circle",
        load=f"{_HERE}.points:ring2d",
        kind="points",
        shape=(2,),
        classes=tuple(f"mode {k}" for k in range(8)),
        splits={"train": 100_000, "test": 100_000},
        licence="none needed (synthetic)",
        source="Srivastava et al. (2017), with the radius of Liu et al. (2020)",
        extractors=(),
        modes=f"{_HERE}.points:ring2d_modes",
    ),
    DatasetSpec(
        name="grid2d",
        summary="100,000 points from 25 narrow Gaussians on a 5x5 grid",
        load=f"{_HERE}.points:grid2d",
        kind="points",
        shape=(2,),
        classes=tuple(f"mode {k}" for k in range(25)),
        splits={"train": 100_000, "test": 100_000},
        licence="none needed (synthetic)",
        source="Srivastava et al. (2017)",
        extractors=(),
        modes=f"{_HERE}.points:grid2d_modes",
    ),
    DatasetSpec(
        name="mnist",
        summary="70,000 handwritten digits of 28x28 pixels",
        load=f"{_HERE}.idx:load",
        kind="images",
        shape=(1, 28, 28),
        classes=DIGITS,
        splits={"train": 60_000, "test": 10_000},
        licence="CC BY-SA 3.0",
        source="http://yann.lecun.com/exdb/mnist/",
        files=_MNIST,
        defaults={"fit": "pad"},
        extractors=("mnist-cnn", "pixels"),
    ),
    DatasetSpec(
        name="stacked_mnist",
        summary="110,000 stacks of three MNIST digits, 28x28 pixels in colour, 1,000 modes; files are mnist's",
        load=f"{_HERE}.stacked_mnist:load",
        kind="images",
        shape=(3, 28, 28),
        classes=STACKED,
        splits={"train": 100_000, "test": 10_000},
        licence="CC BY-SA 3.0",
        source="Metz et al. (2017), unrolled GANs; padded to 32 pixels, where some resize by bilinear interpolation",
        defaults={"fit": "pad"},
        extractors=("stacked-mnist-cnn", "pixels"),
        made_of="mnist",
    ),
    DatasetSpec(
        name="fashion_mnist",
        summary="70,000 pieces of clothing of 28x28 pixels",
        load=f"{_HERE}.idx:load",
        kind="images",
        shape=(1, 28, 28),
        classes=FASHION,
        splits={"train": 60_000, "test": 10_000},
        licence="MIT",
        source="https://github.com/zalandoresearch/fashion-mnist",
        files=_FASHION,
        defaults={"fit": "pad"},
    ),
    DatasetSpec(
        name="kmnist",
        summary="70,000 cursive hiragana of 28x28 pixels",
        load=f"{_HERE}.idx:load",
        kind="images",
        shape=(1, 28, 28),
        classes=KUZUSHIJI,
        splits={"train": 60_000, "test": 10_000},
        licence="CC BY-SA 4.0",
        source="http://codh.rois.ac.jp/kmnist/",
        files=_KMNIST,
        defaults={"fit": "pad"},
    ),
    DatasetSpec(
        name="cifar10",
        summary="60,000 natural images of 32x32 pixels in 10 classes",
        load=f"{_HERE}.cifar:load",
        kind="images",
        shape=(3, 32, 32),
        classes=CIFAR10,
        splits={"train": 50_000, "test": 10_000},
        licence="none stated; cite Krizhevsky (2009)",
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        files=(_CIFAR10,),
    ),
    DatasetSpec(
        name="cifar100",
        summary="60,000 natural images of 32x32 pixels in 100 classes (the fine labels)",
        load=f"{_HERE}.cifar:load",
        kind="images",
        shape=(3, 32, 32),
        classes=CIFAR100,
        splits={"train": 50_000, "test": 10_000},
        licence="none stated; cite Krizhevsky (2009)",
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        files=(_CIFAR100,),
    ),
    DatasetSpec(
        name="stl10",
        summary="13,000 labelled and 100,000 unlabelled natural images of 96x96 pixels",
        load=f"{_HERE}.stl10:load",
        kind="images",
        shape=(3, 96, 96),
        classes=STL10,
        splits={"train": 5_000, "test": 8_000, "unlabeled": 100_000},
        licence="none stated; the images are from ImageNet, for research only",
        source="https://cs.stanford.edu/~acoates/stl10/",
        files=(_STL10,),
        defaults={"fit": "resize"},
    ),
    DatasetSpec(
        name="folder",
        summary="any folder of images, or of class folders of images; also as .zip or .tar(.gz, .xz)",
        load=f"{_HERE}.folder:load",
        kind="images",
        shape=None,
        classes=None,
        splits={"train": None, "test": None},
        licence="that of the files",
        source="the user's own files",
        argument="PATH",
    ),
    DatasetSpec(
        name="npz",
        summary="any npz file of images: arr_0 uint8 [N, H, W, C], and class numbers in arr_1 if there are any",
        load=f"{_HERE}.npz:load",
        kind="images",
        shape=None,
        classes=None,
        splits={"train": None},
        licence="that of the file",
        source="the user's own file",
        argument="FILE",
    ),
)
