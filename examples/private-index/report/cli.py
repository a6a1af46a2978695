import click
import tomlkit


@click.command()
@click.argument("name")
def main(name):
    click.echo(tomlkit.dumps({"report": name}), nl=False)
