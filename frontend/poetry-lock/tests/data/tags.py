"""Writes tags.json: the tags that packaging gives to described interpreters.

Usage: python tags.py > tags.json, with packaging 26.3.
"""

import hashlib
import json
import sysconfig
from unittest.mock import patch

from packaging import _manylinux, _musllinux, tags

GLIBC = [("glibc", 2, minor) for minor in (17, 28, 31, 36, 41)]
MUSL = [("musl", 1, minor) for minor in (1, 2)]
MACHINES = ["x86_64", "aarch64", "armv7l", "armv8l", "armv6l", "ppc64le", "s390x", "riscv64", "i686"]
PYPY = [((3, 9), ".pypy39-pp73-x86_64-linux-gnu.so"), ((3, 11), ".pypy311-pp73-aarch64-linux-gnu.so")]


def described():
    for minor in range(8, 16):
        yield {"python": (3, minor), "machine": "x86_64", "libc": ("glibc", 2, 36)}
        yield {"python": (3, minor), "machine": "aarch64", "libc": ("musl", 1, 2), "debug": True}
        if minor >= 13:
            for debug in (False, True):
                yield {"python": (3, minor), "machine": "x86_64", "libc": ("glibc", 2, 41), "debug": debug, "free_threaded": True}
    for machine in MACHINES:
        for libc in (*GLIBC, *MUSL, None):
            yield {"python": (3, 12), "machine": machine, "libc": libc}
    for python, suffix in PYPY:
        for libc in (("glibc", 2, 36), ("musl", 1, 2)):
            yield {"python": python, "machine": suffix.split("-")[2], "libc": libc, "ext_suffix": suffix}


def tags_of(python, machine, libc, debug=False, free_threaded=False, ext_suffix=None):
    variables = {"Py_DEBUG": debug, "Py_GIL_DISABLED": free_threaded, "EXT_SUFFIX": ext_suffix}
    glibc = libc[1:] if libc and libc[0] == "glibc" else (-1, -1)
    musl = _musllinux._MuslVersion(*libc[1:]) if libc and libc[0] == "musl" else None
    allowed = _manylinux._ALLOWED_ARCHS | {"armv7l", "i686"}
    with (
        patch.object(sysconfig, "get_platform", lambda: f"linux-{machine}"),
        patch.object(tags, "_get_config_var", lambda name, warn=False: variables.get(name)),
        patch.object(tags, "platform_tags", lambda: tags._linux_platforms(is_32bit=False)),
        patch.object(_manylinux, "_get_glibc_version", lambda: glibc),
        # What is asked of the executable is whether it is hard-float ARM or 32-bit x86.
        patch.object(_manylinux, "_have_compatible_abi", lambda _, archs: any(arch in allowed for arch in archs)),
        patch.object(_manylinux, "_get_manylinux_module", lambda: None),
        patch.object(_musllinux, "_get_musl_version", lambda _: musl),
    ):
        short = "".join(map(str, python))
        if ext_suffix is None:
            all_tags = [*tags.cpython_tags(python), *tags.compatible_tags(python, interpreter=f"cp{short}")]
        else:
            own = tags.generic_tags(f"pp{short}", tags._generic_abi())
            all_tags = [*own, *tags.compatible_tags(python, interpreter="pp3")]
    return list(map(str, all_tags))


def main():
    rows = []
    for interpreter in described():
        all_tags = tags_of(**interpreter)
        digest = hashlib.sha256("\n".join(all_tags).encode()).hexdigest()
        # All tags would be a megabyte; some show what is wrong if the digest differs.
        some = all_tags[:: max(1, len(all_tags) // 12)]
        rows.append(json.dumps({**interpreter, "count": len(all_tags), "sha256": digest, "some": some}))
    print("[\n" + ",\n".join(rows) + "\n]")


main()
