"""Compiles fastsum._sum in place."""

from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

distribution = Distribution({"name": "fastsum", "ext_modules": [Extension("fastsum._sum", ["fastsum/_sum.c"])]})
command = build_ext(distribution)
command.ensure_finalized()
command.inplace = True
command.run()
