"""The command `shop`."""

import os
import sys

import click
from dateutil.parser import isoparse
from jinja2 import Template

PRICES = {"apple": 3, "bread": 5, "candle": 8}
LIST = Template("{% for name, price in prices %}{{ name | upper }} {{ price }}\n{% endfor %}")


def price_list() -> str:
    try:
        from tabulate import tabulate
    except ImportError:
        return LIST.render(prices=sorted(PRICES.items()))
    return tabulate(sorted(PRICES.items()), headers=["what", "price"]) + "\n"


@click.command()
@click.option("--day", default="2024-02-29", help="The day of the price list.")
@click.option("--where", is_flag=True, help="Tell which Python this is, and who runs it.")
def main(day: str, where: bool) -> None:
    click.echo(f"prices of {isoparse(day):%d.%m.%Y}")
    click.echo(price_list(), nl=False)
    if where:
        click.echo(f"{sys.prefix} {os.getuid()} {os.getcwd()}")


if __name__ == "__main__":
    main()
