"""Runs scripts with stand-ins for the modules that they import, and tells as JSON what each does."""

import importlib.abc
import importlib.machinery
import json
import os
import runpy
import sys
import types

calls = []


class Attribute:
    def __init__(self, module, name):
        self.module, self.name = module, name

    def __getattr__(self, name):
        return Attribute(self.module, f"{self.name}.{name}")

    def __call__(self, *args):
        calls.append([self.module, self.name, list(args), sys.argv[1:], os.path.basename(sys.argv[0])])
        return 7


class Module(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Attribute(self.__name__, name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Module(spec.name)

    def exec_module(self, module):
        pass


def run(path):
    calls.clear()
    sys.argv = [path, "one", "two words"]
    try:
        runpy.run_path(path, run_name="__main__")
        end = None
    except SystemExit as error:
        end = error.code
    with open(path, "rb") as script:
        first = script.readline().decode()
    return {"first line": first, "calls": list(calls), "end": end}


sys.meta_path.insert(0, Finder())
sys.dont_write_bytecode = True
print(json.dumps([run(path) for path in sys.argv[1:]]))
