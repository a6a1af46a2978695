"""The command `api`."""

import click
from markupsafe import escape


@click.command()
def main() -> None:
    click.echo(escape("<api>"))


if __name__ == "__main__":
    main()
