# Calls one hook of a build backend (PEP 517, PEP 660). Runs in the build environment, in the project's folder.
import importlib
import json
import os
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    order = json.load(file)
# Neither this script's folder nor the project's is on the path, but what the project asks for.
sys.path[:1] = [os.path.abspath(folder) for folder in order["backend_path"]]
sys.argv[1:] = []

module, _, attribute = order["backend"].partition(":")
backend = importlib.import_module(module)
for part in filter(None, attribute.split(".")):
    backend = getattr(backend, part)

hook = getattr(backend, order["hook"], None)
if hook is not None:
    result = hook(*order["arguments"], config_settings=order["config_settings"])
elif order["optional"]:
    result = []
else:
    sys.exit("the build backend has no hook " + order["hook"])
with open(order["answer"], "w", encoding="utf-8") as file:
    json.dump(result, file)
