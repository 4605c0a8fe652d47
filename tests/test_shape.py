"""The shape of the code, read with ``ast`` and as text: what may import what, what decides without acting,
and which texts repeat each other.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

import providers.errors
import storage.states
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "providers", "storage", "sandbox")
LEAVES = ("providers", "storage", "sandbox")
FILE_LINES_MAX = 300

# What decides: plain values and the standard library's tools for them, nothing that reaches the world.
PURE = ("bot/songs.py", "bot/pricing.py", "bot/delivery/plan.py", "bot/engine/workflow.py")
PURE_MAY_IMPORT = {
    "base64",
    "collections",
    "collections.abc",
    "dataclasses",
    "enum",
    "functools",
    "itertools",
    "json",
    "math",
    "re",
    "typing",
    "unicodedata",
    "urllib.parse",
    "uuid",
    "providers.base",
    "providers.errors",
    "providers.stems",
    "storage.rows",
    "storage.states",
    "bot.songs",
    "bot.pricing",
}

# Who comes in from outside. They meet in the database, not in each other.
ENTRANCES = ("bot.handlers", "bot.web", "bot.engine")
ABOVE_ALL = ("bot.app", "bot.cli", "bot.__main__")


def sources(*folders: str) -> list[str]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


OURS = sources(*PACKAGES)
ALL = sources(*PACKAGES, "tests", "benchmarks")


def tree(source: str) -> ast.Module:
    return ast.parse((ROOT / source).read_text(encoding="utf-8"))


def module_of(source: str) -> str:
    return source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(source: str) -> set[str]:
    """Absolute names, from the whole file; ``from a import b`` gives ``a`` and ``a.b``: b may be a module."""
    names: set[str] = set()
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = origin(source, node)
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def origin(source: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = source.split("/")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def is_in(name: str, *modules: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def importers(*modules: str, among: list[str]) -> list[str]:
    return [source for source in among if any(is_in(name, *modules) for name in imports(source))]


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_imports_nothing_of_ours(leaf):
    others = [package for package in (*PACKAGES, "tests", "benchmarks") if package != leaf]
    assert importers(*others, among=sources(leaf)) == []


def test_telegram_is_imported_only_under_bot():
    assert importers("telegram", among=sources(*LEAVES)) == []


def test_sql_exists_only_under_storage():
    assert importers("sqlalchemy", "alembic", among=sources("bot", "providers", "sandbox")) == []


def test_the_sandbox_is_used_only_by_the_demo():
    assert set(importers("sandbox", among=sources("bot"))) <= {"bot/cli/demo.py"}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_those_who_come_in_from_outside_do_not_import_each_other(entrance):
    others = [other for other in ENTRANCES if other != entrance]
    own = [source for source in OURS if is_in(module_of(source), entrance)]
    assert importers(*others, among=own) == []


def test_nothing_imports_what_puts_it_together():
    below = [source for source in OURS if not is_in(module_of(source), *ABOVE_ALL)]
    assert importers(*ABOVE_ALL, among=below) == []


def test_what_everybody_uses_knows_none_of_its_users():
    below = [source for source in OURS if not is_in(module_of(source), *ABOVE_ALL, *ENTRANCES, "bot.intake")]
    assert importers(*ENTRANCES, among=below) == []


@pytest.mark.parametrize("source", [source for source in PURE if source in OURS])
def test_what_decides_imports_nothing_that_acts(source):
    asked = {name for node in ast.walk(tree(source)) for name in imported_modules(source, node)}
    assert asked - PURE_MAY_IMPORT == set()


def imported_modules(source: str, node: ast.AST) -> list[str]:
    """The modules themselves: ``from providers import stems`` is ``providers.stems``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = origin(source, node)
    return [f"{base}.{alias.name}" for alias in node.names] if base in PACKAGES else [base]


def test_only_the_settings_read_the_environment():
    def reads_it(node: ast.AST) -> bool:
        attribute = isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
        return attribute or (isinstance(node, ast.ImportFrom) and node.module == "os")

    # bot/__init__.py sets one, for a library that takes its settings from nowhere else.
    assert set(where(reads_it, OURS)) <= {"bot/settings.py", "bot/__init__.py"}


def test_only_the_commands_print():
    def prints(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"

    assert [source for source in where(prints, OURS) if not source.startswith("bot/cli/")] == []


def test_only_the_loops_and_the_error_handler_catch_everything():
    def catches_everything(node: ast.AST) -> bool:
        if not isinstance(node, ast.ExceptHandler):
            return False
        caught = (
            {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
            if node.type
            else {"Exception"}
        )
        return bool(caught & {"Exception", "BaseException"})

    assert set(where(catches_everything, OURS)) <= {"bot/engine/loops.py", "bot/handlers/errors.py"}


def test_stand_ins_not_mocks():
    def asks_for_a_patch(node: ast.AST) -> bool:
        return isinstance(node, ast.arg) and node.arg in {"monkeypatch", "mocker"}

    assert importers("unittest.mock", among=ALL) == []
    assert where(asks_for_a_patch, ALL) == []


def where(holds: Callable[[ast.AST], bool], among: list[str]) -> list[str]:
    return [source for source in among if any(map(holds, ast.walk(tree(source))))]


@pytest.mark.parametrize("source", ALL)
def test_a_file_is_not_longer_than_it_says_it_must_be(source):
    lines = len((ROOT / source).read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES_MAX or re.search(r"\blines\b", ast.get_docstring(tree(source)) or "")


def test_every_error_of_a_provider_is_one_family():
    classes = [cls for _, cls in inspect.getmembers(providers.errors, inspect.isclass)]
    assert len(classes) > 1
    assert all(issubclass(cls, providers.errors.ProviderError) for cls in classes)


def test_the_readme_shows_every_setting_with_its_default_and_meaning():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$", section("settings"), re.MULTILINE)
    assert rows == [
        (name, f"`{default}`" if default else "-", meaning) for name, default, meaning in settings()
    ]


def test_the_example_file_shows_every_setting_with_its_default_and_meaning():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = re.findall(r"^# (.+)\n#?([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert shown == [(meaning.replace("`", ""), name, default) for name, default, meaning in settings()]


def test_the_example_file_sets_nothing_that_has_a_default():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^[A-Z_]+=.+$", text, re.MULTILINE) == []


def settings() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        yield name.upper(), default_text(field.default), field.description or ""


def default_text(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return f"{default:g}"
    return str(default) if default else ""


def test_the_readme_shows_the_states_as_they_are():
    assert section("states") == f"```mermaid\n{storage.states.mermaid()}\n```"


def section(name: str) -> str:
    """What the README holds between the two comments that name it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name}:begin -->\n(.*?)\n<!-- {name}:end -->", text, re.DOTALL)
    assert found, f"README.md has no section {name}"
    return found[1].strip()
