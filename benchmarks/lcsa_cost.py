"""What LCSA adds to a whole training step of the GAN it stands in, and where it goes.

    python benchmarks/lcsa_cost.py --width 128 --batch 32 --device cuda
    python benchmarks/lcsa_cost.py --width 32 --batch 16

Both methods train the same BigGAN with the same batch; their steps alternate, so that a machine that slows down slows
both, and medians are compared. The paper's own figure is 1.14 (Table 13: 27 h 11 min to 30 h 54 min on a V100).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from harness_lcsa.coders import affinities, decode, local_soft_assignment
from harness_lcsa.dictionary import dictionary_gradient

from harness import Problem, Stream
from harness.catalog import open_catalog
from harness.data import TrainingData
from harness.experiment import resolve
from harness.training.build import build_method
from harness.training.runtime import Runtime


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=128, help="channel multiplier; d' is four times this")
    parser.add_argument("--batch", type=int, default=32, help="real images a discriminator step")
    parser.add_argument("--resolution", type=int, default=32, choices=(8, 16, 32))
    parser.add_argument("--atoms", type=int, default=1024)
    parser.add_argument("--neighbours", type=int, default=128)
    parser.add_argument("--d-steps", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=10, help="steps of each that are timed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def stepper(plugin: str, options: argparse.Namespace) -> tuple[Any, Callable[[], None]]:
    """A method, and a function that does its next training step."""
    overrides: dict[str, Any] = {
        "backbone": {"name": "biggan", "width": options.width},
        "batch_size": options.batch,
        "conditional": True,
        "d_steps": options.d_steps,
    }
    if plugin == "lcsa":
        overrides["coder"] = {"atoms": options.atoms, "neighbours": options.neighbours}
    catalog = open_catalog()
    experiment = resolve(catalog, plugin=plugin, dataset="cifar10", overrides=overrides)
    side, device = options.resolution, torch.device(options.device)
    problem = Problem("noise", "images", (3, side, side), tuple("0123456789"), 4096)
    method: Any
    method, ctx = build_method(experiment, problem, Runtime(device), catalog)
    images = torch.randint(256, (4096, 3, side, side), dtype=torch.uint8).to(device)
    data = TrainingData(images, torch.randint(10, (4096,)).to(device), 10, device)
    stream = Stream(data, options.batch, (0, "gan"))
    method.begin()

    def step() -> None:
        method.step(stream)
        ctx.step += 1

    return method, step


def seconds(action: Callable[[], object], device: torch.device) -> float:
    """Wall time of one call, the device's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def median(action: Callable[[], object], device: torch.device, repeats: int) -> float:
    action()
    return statistics.median(seconds(action, device) for _ in range(repeats))


def parts(method: Any, options: argparse.Namespace) -> dict[str, float]:
    """Seconds a training step spends in each part of the coder, timed apart on random features of the right sizes."""
    device, repeats = torch.device(options.device), max(3, options.repeats)
    coder, near = method.settings.coder, method.settings.coder.neighbours
    places = [place for place in method.discriminator.places if place.name in method.blocks]
    totals: dict[str, float] = {}
    for place in places:
        m = method.blocks[place.name].dictionary.detach()
        for n, times, learns in ((2 * options.batch, options.d_steps, True), (options.batch, 1, False)):
            x = torch.randn(n * place.resolution**2, place.width, device=device, requires_grad=True)
            affinity = affinities(x, m, coder.sigma).detach()
            codes = local_soft_assignment(x, m, coder.sigma, near)
            out = decode(codes, m)
            loose, sent = codes.detach(), torch.randn_like(out)
            work: dict[str, Callable[[], object]] = {
                "affinities (1 product)": lambda x=x, m=m: affinities(x.detach(), m, coder.sigma),
                "choice of neighbours": lambda a=affinity: a.topk(near, dim=1, sorted=False),
                "decoding (1 product)": lambda a=loose, m=m: decode(a, m),
                "backward (2 products)": lambda o=out, x=x, g=sent: torch.autograd.grad(o, x, g, retain_graph=True),
            }
            if learns:
                work["dictionary gradient (1 product)"] = lambda r=sent, a=loose: dictionary_gradient(r, a)
            for name, action in work.items():
                totals[name] = totals.get(name, 0.0) + times * median(action, device, repeats)
    dictionaries = list(method.dictionary_adam.param_groups[0]["params"])
    for parameter in dictionaries:
        parameter.grad = torch.zeros_like(parameter)
    totals["dictionary Adam"] = options.d_steps * median(method.dictionary_adam.step, device, repeats)
    return totals


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    _, plain = stepper("gan", options)
    method, lcsa = stepper("lcsa", options)
    times: dict[str, list[float]] = {"gan": [], "lcsa": []}
    for repeat in range(options.repeats + 2):
        for name, step in (("gan", plain), ("lcsa", lcsa)):
            elapsed = seconds(step, device)
            if repeat >= 2:  # the first two choose algorithms and fill caches
                times[name].append(elapsed)
    gan, with_lcsa = (statistics.median(times[name]) for name in ("gan", "lcsa"))
    ratios = [b / a for a, b in zip(times["gan"], times["lcsa"], strict=True)]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {options.threads} threads"
    print(
        f"{name}; torch {torch.__version__}; width {options.width} (d' = {4 * options.width}), batch {options.batch},"
    )
    print(f"{options.resolution} pixels, {options.d_steps} D steps, {options.atoms} atoms, k' = {options.neighbours}")
    print(f"gan   {1e3 * gan:9.1f} ms a step (median of {options.repeats})")
    print(f"lcsa  {1e3 * with_lcsa:9.1f} ms a step")
    print(f"ratio {with_lcsa / gan:9.3f}     (median of paired ratios {statistics.median(ratios):.3f}; paper 1.14)")
    print("where it goes, each part timed apart:")
    for part, spent in parts(method, options).items():
        print(f"  {part:34s}{1e3 * spent:9.1f} ms {100 * spent / gan:6.1f} % of gan's step")


if __name__ == "__main__":
    main()
