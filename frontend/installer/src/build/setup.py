# Builds a project's extension modules in place, with arguments that its build script prepares: what the setup.py does
# that Poetry generates for a script with `generate-setup-file`. Arguments: the script, the project's name, and the folder
# of its modules. Runs in the build environment, in the project's folder.
import runpy
import sys

from setuptools import setup

script, name, modules = sys.argv[1:]
arguments = {"name": name, "packages": [], "py_modules": [], "package_dir": {"": modules or "."}}
runpy.run_path(script)["build"](arguments)
arguments["script_args"] = ["build_ext", "--inplace"]
setup(**arguments)
