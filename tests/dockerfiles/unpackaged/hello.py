"""A program that is no package."""

import click

click.echo("hello")
