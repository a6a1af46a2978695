# Reads {"files": [[source, final path], ...], "out": folder} as JSON, and writes bytecode files below the folder.
# Prints a line of JSON for each file, in order: [final path of the bytecode, null] or [final path, reason].
import sys

sys.path = [folder for folder in sys.path if folder]

import importlib.util
import json
import os
import py_compile


def reason(error):
    if isinstance(error, py_compile.PyCompileError):
        error = error.exc_value
    text = "{}: {}".format(type(error).__name__, getattr(error, "msg", None) or error)
    line = getattr(error, "lineno", None)
    return "line {}: {}".format(line, text) if line else text


def bytecode(source, final, out):
    target = importlib.util.cache_from_source(final)
    os.makedirs(os.path.dirname(out + target), exist_ok=True)
    try:
        py_compile.compile(
            source,
            cfile=out + target,
            dfile=final,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except Exception as error:
        if isinstance(error, OSError):
            raise
        return [final, reason(error)]
    return [target, None]


def answer(module, out):
    print(json.dumps(bytecode(module[0], module[1], out)), flush=True)


def answer_apart(module, out):
    process = os.fork()
    if process == 0:
        code = 1
        try:
            answer(module, out)
            code = 0
        except OSError as error:
            sys.stderr.write("{}\n".format(error))
        finally:
            os._exit(code)
    status = os.waitpid(process, 0)[1]
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    elif status:
        sys.exit(1)


def main():
    if not hasattr(py_compile, "PycInvalidationMode"):
        sys.exit("bytecode without times needs Python 3.7 or newer")
    request = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    # PyPy's bytecode tells which strings the process has seen before, so there each file has its own.
    run = answer if sys.implementation.name == "cpython" else answer_apart
    for module in request["files"]:
        run(module, request["out"])


main()
