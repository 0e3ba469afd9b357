"""Finding plugins: each broken one is reported in one line and disturbs nobody."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from made_plugins import PENALTY, Install, method, penalty, plugin_called

from harness.catalog import Catalog
from harness.plugins import KIND_OF_SPEC, Plugins, import_module


def refused(install: Install, source: str) -> str:
    """Why a plugin with this source is refused, beside a good one that must be untouched."""
    points = [install("bad", source), penalty(install, "good")]
    plugins = Plugins(found=points)
    assert plugin_called(plugins, "good").status == "ok"
    assert Catalog(plugins).names("penalty").count("zero") == 1
    assert plugin_called(plugins, "builtin").status == "ok"
    bad = plugin_called(plugins, "bad")
    assert (bad.status, bad.offers) == ("broken", [])
    assert bad.error is not None
    assert "\n" not in bad.error
    assert all(i.plugin_name != "bad" for i in hook_implementations(plugins)), "a hook of a refused plugin stays"
    return bad.error


def hook_implementations(plugins: Plugins) -> list[Any]:
    callers = [getattr(plugins.manager.hook, name) for name in dir(plugins.manager.hook) if name.startswith("harness_")]
    return [implementation for caller in callers for implementation in caller.get_hookimpls()]


# -- a plugin that works -------------------------------------------------------------------------------


def test_a_plugin_offers_what_it_registers(install: Install) -> None:
    plugins = Plugins(found=[penalty(install, "good")])
    plugin = plugin_called(plugins, "good")
    assert (plugin.status, plugin.error, [spec.name for spec in plugin.offers]) == ("ok", None, ["zero"])
    assert Catalog(plugins).owner("penalty", "zero") is plugin


EVERY_KIND = {
    "harness_register_datasets": """DatasetSpec(name="n", summary="-", load="m:f", kind="points", shape=(2,),
                                                classes=(), splits={}, licence="-", source="-")""",
    "harness_register_models": 'ModelSpec(name="n", summary="-", settings="m:S", build="m:b", kind="points")',
    "harness_register_losses": 'LossSpec(name="n", summary="-", discriminator="m:d", generator="m:g")',
    "harness_register_augmentations": 'AugmentationSpec(name="n", summary="-", settings="m:S", augmentation="m:A")',
    "harness_register_regularisers": 'RegulariserSpec(name="n", summary="-", settings="m:S", regulariser="m:R")',
    "harness_register_extractors": 'ExtractorSpec(name="n", summary="-", load="m:l", accepts="any")',
    "harness_register_metrics": 'MetricSpec(name="n", summary="-", metric="m:M", names={"n": True})',
    "harness_register_methods": """MethodSpec(name="n", summary="-", settings="m:S", method="m:M",
                                               recipes=(Recipe(id="n/base", method="n", summary="-"),))""",
    "harness_register_references": 'ReferenceSpec(name="n", summary="-", folder="m:t")',
}


@pytest.mark.parametrize("hook", EVERY_KIND)
def test_every_kind_of_spec_reaches_the_catalog(install: Install, hook: str) -> None:
    source = f"from harness import *\n\n@hookimpl\ndef {hook}(register):\n    register({EVERY_KIND[hook]})\n"
    plugins = Plugins(found=[install("all", source)])
    plugin = plugin_called(plugins, "all")
    assert plugin.error is None
    (spec,) = plugin.offers
    kind = KIND_OF_SPEC[type(spec).__name__]
    assert Catalog(plugins).owner(kind, "n") is plugin
    assert spec in Catalog(plugins).all(kind)


def test_the_harness_own_things_come_first(install: Install) -> None:
    assert [plugin.name for plugin in Plugins(found=[penalty(install, "aaa")]).plugins] == ["builtin", "aaa"]


def test_an_entry_point_may_name_extras(install: Install) -> None:
    point = penalty(install, "good")
    plugins = Plugins(found=[EntryPoint("good", f"{point.value} [more]", "harness")])
    assert plugin_called(plugins, "good").error is None


def test_two_openings_share_nothing(install: Install) -> None:
    point = penalty(install, "good")
    first, second = Plugins(found=[point]), Plugins(found=[point])
    assert second.manager is not first.manager
    assert plugin_called(second, "good").status == "ok"


# -- plugins that do not ---------------------------------------------------------------------------------


def test_a_module_that_is_not_there(install: Install) -> None:
    plugins = Plugins(found=[EntryPoint("bad", "no_such_module_anywhere", "harness"), penalty(install, "good")])
    assert plugin_called(plugins, "bad").error == (
        "import of no_such_module_anywhere raised ModuleNotFoundError: No module named 'no_such_module_anywhere'"
    )
    assert plugin_called(plugins, "good").status == "ok"


def test_an_import_that_raises_is_reported_on_one_line(install: Install) -> None:
    error = refused(install, "raise RuntimeError('first line\\n   second line')")
    assert error == "import of fake_bad raised RuntimeError: first line second line"


def test_a_syntax_error(install: Install) -> None:
    assert "SyntaxError" in refused(install, "def (:")


def test_a_module_that_exits_the_interpreter(install: Install) -> None:
    assert refused(install, "import sys; sys.exit('bye')") == "import of fake_bad raised SystemExit: bye"


def test_ctrl_c_during_an_import_is_not_swallowed(install: Install) -> None:
    with pytest.raises(KeyboardInterrupt):
        Plugins(found=[install("bad", "raise KeyboardInterrupt")])


def test_an_argument_that_the_hook_does_not_have(install: Install) -> None:
    error = refused(
        install,
        """
        from harness import hookimpl

        @hookimpl
        def harness_run_started(experiment):
            pass

        @hookimpl
        def harness_register_methods(register, flavour):
            pass
        """,
    )
    assert "flavour" in error
    assert "harness_register_methods" in error


def test_a_misspelt_hook_is_reported_with_the_right_name(install: Install) -> None:
    error = refused(install, "from harness import hookimpl\n@hookimpl\ndef harness_register_method(register): pass")
    assert error.startswith("unknown hook 'harness_register_method'; did you mean 'harness_register_methods'")


def test_a_hook_without_its_marker_is_not_passed_over(install: Install) -> None:
    error = refused(install, "def harness_register_methods(register): pass")
    assert error == "harness_register_methods is not marked with @hookimpl, so it would never be called"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no luck')", "ValueError: no luck"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_hook_that_raises(install: Install, body: str, said: str) -> None:
    error = refused(install, f"from harness import hookimpl\n@hookimpl\ndef harness_register_metrics(register): {body}")
    assert error == f"harness_register_metrics raised {said}"


@pytest.mark.parametrize("body", ["return [1]", "yield 1"])
def test_a_hook_that_returns_instead_of_registering(install: Install, body: str) -> None:
    error = refused(install, f"from harness import hookimpl\n@hookimpl\ndef harness_register_models(register): {body}")
    assert error.endswith("it must call register(spec) instead")


def test_a_hook_wrapper(install: Install) -> None:
    error = refused(
        install, "from harness import hookimpl\n@hookimpl(wrapper=True)\ndef harness_register_models(): yield"
    )
    assert error == "harness_register_models is a hook wrapper, and hooks here are called one by one"


def test_a_spec_of_another_kind(install: Install) -> None:
    source = PENALTY.format(name="p").replace("harness_register_losses", "harness_register_models")
    assert refused(install, source) == "harness_register_models takes ModelSpec, not PenaltySpec"


def test_a_refused_spec_is_reported_even_where_the_plugin_swallows_the_error(install: Install) -> None:
    error = refused(
        install,
        """
        from harness import hookimpl

        @hookimpl
        def harness_register_models(register):
            try:
                register("biggan")
            except Exception:
                pass
        """,
    )
    assert error == "harness_register_models takes ModelSpec, not str"


def test_a_plugin_whose_second_hook_fails_offers_nothing_at_all(install: Install) -> None:
    error = refused(
        install, PENALTY.format(name="p") + "\n    @hookimpl\n    def harness_register_metrics(register): 1/0"
    )
    assert error == "harness_register_metrics raised ZeroDivisionError: division by zero"


# -- names claimed twice ---------------------------------------------------------------------------------


def test_a_name_registered_twice_by_one_plugin(install: Install) -> None:
    twice = PENALTY.format(name="p") + '        register(PenaltySpec(name="p", summary="-", penalty="math:sqrt"))\n'
    assert refused(install, twice) == "registers penalty 'p' twice"


def test_a_plugin_name_of_two_distributions(install: Install) -> None:
    points = [penalty(install, "same", module="fake_one"), penalty(install, "same", "other", module="fake_two")]
    first, second = Plugins(found=points).plugins[1:]
    assert (first.status, second.status) == ("ok", "broken")
    assert second.error == "plugin name 'same' is taken by fake_one (?)"


def test_a_broken_plugin_does_not_hold_its_name(install: Install) -> None:
    points = [install("same", "1/0", module="fake_a"), penalty(install, "same", module="fake_b")]
    plugins = Plugins(found=points)
    assert [plugin.status for plugin in plugins.plugins[1:]] == ["broken", "ok"]


def test_a_stranger_cannot_replace_the_builtin_plugin(install: Install) -> None:
    builtin, stranger = Plugins(found=[penalty(install, "builtin")]).plugins
    assert (builtin.status, stranger.status) == ("ok", "broken")


def test_one_module_under_two_names_keeps_working_under_the_first(install: Install) -> None:
    point = penalty(install, "first")
    plugins = Plugins(found=[point, EntryPoint("second", point.value, "harness")])
    assert plugin_called(plugins, "second").error == "fake_first is already in use as plugin 'first'"
    assert plugin_called(plugins, "first").status == "ok"
    assert [i.plugin_name for i in plugins.manager.hook.harness_register_losses.get_hookimpls()].count("first") == 1


def test_a_recipe_registered_twice(install: Install) -> None:
    bad = method(install, "bad", "toy", "toy/a", "toy/a")
    assert plugin_called(Plugins(found=[bad]), "bad").error == "registers recipe 'toy/a' twice"


def test_a_spec_against_the_rules_names_itself(install: Install) -> None:
    assert refused(install, PENALTY.format(name="two words")).startswith("penalty 'two words': a name is made of")


# -- switching off ---------------------------------------------------------------------------------------


def test_a_plugin_that_is_switched_off_is_not_even_imported(install: Install) -> None:
    plugins = Plugins(["bad"], [install("bad", "raise RuntimeError")])
    plugin = plugin_called(plugins, "bad")
    assert (plugin.status, plugin.error) == ("off", "switched off with --without")
    assert "fake_bad" not in sys.modules


def test_the_builtin_plugin_can_be_switched_off() -> None:
    plugins = Plugins(["builtin"], [])
    assert plugin_called(plugins, "builtin").status == "off"
    assert Catalog(plugins).names("dataset") == []


def test_switches_that_name_no_plugin_are_kept_for_the_error() -> None:
    assert Plugins(["nonesuch", "builtin"], []).unknown_switches == ["nonesuch"]


# -- importing by name -----------------------------------------------------------------------------------


def test_import_module_follows_attributes() -> None:
    assert import_module("pathlib:Path.cwd") == Path.cwd
    assert import_module("pathlib").Path is Path
