import click
import rules
import shared


@click.command()
def main():
    click.echo(f"{shared.greeting('api')} {rules.VERSION}")
    click.echo(shared.__file__)
    click.echo("site-packages" in rules.__file__)
