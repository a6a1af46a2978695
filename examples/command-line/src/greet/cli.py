from importlib.metadata import version

import click
from rich.console import Console


@click.command()
@click.argument("name", default="world")
@click.version_option(version("greet"))
def main(name: str) -> None:
    """Greet NAME."""
    Console().print(f"Hello, [bold]{name}[/bold]!")
