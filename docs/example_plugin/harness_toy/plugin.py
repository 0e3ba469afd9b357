"""What the plugin offers: names and where the code is. It is read by every command, so it imports no torch."""

from harness import MethodSpec, Recipe, Scale, hookimpl

RECIPE = Recipe(
    id="toy/mlp",
    method="toy",
    summary="two small networks on points in the plane",
    settings={"backbone": "mlp", "batch_size": 100, "steps": 20_000},
    scales={"tiny": Scale(settings={"steps": 2000, "backbone": {"generator_width": 64, "discriminator_width": 32}})},
    datasets=("ring2d", "grid2d"),
)


@hookimpl
def harness_register_methods(register):
    register(
        MethodSpec(
            name="toy",
            summary="The smallest GAN",
            settings="harness_toy.method:ToySettings",
            method="harness_toy.method:Toy",
            recipes=(RECIPE,),
            kinds=("points", "images"),
        )
    )
