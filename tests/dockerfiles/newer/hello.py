import click

click.echo("hello, newer lock")
