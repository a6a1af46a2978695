from collections import Counter

import click
from tabulate import tabulate


@click.command()
@click.argument("words", nargs=-1)
def main(words):
    click.echo(tabulate(sorted(Counter(words).items()), tablefmt="plain"))
