# Prints what this interpreter says of itself, as one line of JSON.
# Runs isolated and without site, on CPython and PyPy from 3.6 on.
import json
import os
import platform
import sys
import sysconfig


def full_version(info):
    text = "{0.major}.{0.minor}.{0.micro}".format(info)
    if info.releaselevel != "final":
        text += info.releaselevel[0] + str(info.serial)
    return text


def markers():
    python = platform.python_version()
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": full_version(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": "",
        "platform_system": platform.system(),
        "platform_version": "",
        "python_full_version": python[:-1] if python.endswith("+") else python,
        "python_version": "{0.major}.{0.minor}".format(sys.version_info),
        "sys_platform": sys.platform,
    }


def wheel_platform():
    # A 32-bit interpreter on a 64-bit kernel reports the kernel's machine.
    name = sysconfig.get_platform()
    if sys.maxsize <= 2**32:
        name = {"linux-x86_64": "linux-i686", "linux-aarch64": "linux-armv8l"}.get(name, name)
    return name


def glibc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        pass
    try:
        import ctypes

        version = ctypes.CDLL(None).gnu_get_libc_version
        version.restype = ctypes.c_char_p
        return "glibc " + version().decode("ascii")
    except (AttributeError, ImportError, OSError):
        return None


def scheme(paths, headers):
    found = {key: paths[key] for key in ("purelib", "platlib", "scripts", "data")}
    found["headers"] = headers
    return found


def venv_scheme():
    # Debian's default is for packages outside environments, so the scheme is named.
    root = "/venv"
    name = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"
    variables = {
        key: root for key in ("base", "platbase", "installed_base", "installed_platbase")
    }
    paths = sysconfig.get_paths(name, vars=variables)
    headers = "{}/include/site/python{}.{}".format(root, *sys.version_info[:2])
    return {
        key: os.path.relpath(path, root) if path != root else ""
        for key, path in scheme(paths, headers).items()
    }


def system_scheme():
    paths = sysconfig.get_paths()
    return scheme(paths, paths["include"])


def main():
    executable = getattr(sys, "_base_executable", None) or sys.executable
    print(
        json.dumps(
            {
                "executable": os.path.realpath(executable),
                "markers": markers(),
                "platform": wheel_platform(),
                "glibc": glibc(),
                "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX") or "",
                "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
                "debug": hasattr(sys, "gettotalrefcount"),
                "venv": venv_scheme(),
                "system": system_scheme(),
                "version_info": list(sys.version_info),
                "base_prefix": sys.base_prefix,
                "base_exec_prefix": sys.base_exec_prefix,
                "links_lib64": sys.maxsize > 2**32,
            },
            sort_keys=True,
        )
    )


main()
