//! The rules.

use super::Rule;

/// Makes the rules, and the list of all of them.
macro_rules! rules {
    ($($name:ident = $code:literal, $summary:literal, $remedy:literal;)*) => {
        $(
            #[doc = $summary]
            pub(in crate::dockerfile) static $name: Rule = Rule { code: $code, summary: $summary, remedy: $remedy };
        )*

        /// All rules, in the order of the documentation.
        pub(super) static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // The shell.
    SHELL_SYNTAX = "shell-syntax",
        "the script of a `RUN` has something that is not read: arithmetic, arrays, `&>` in `sh`, or what shells read in different ways",
        "a plain command in a `RUN` of its own";
    SHELL_START = "shell-start",
        "the shell reads files before the script (`bash -l`, `-i`, `BASH_ENV`), or a variable changes how it works (`CDPATH`, `IFS`)",
        "`SHELL [\"/bin/bash\", \"-c\"]`";
    CONDITION = "condition",
        "whether the command runs depends on what only the build knows: a condition over files or programs, a loop, a function, `eval`",
        "decide by `ARG` and `ENV`, whose values are known: `if [ \"$DEV\" = 1 ]`, `case`, `$(test …  && echo …)` are read";
    WITHIN = "within",
        "the command is a part of something else: a pipeline, a substitution, or a group whose output goes elsewhere",
        "a `RUN` of its own";
    SHELL_STATE = "shell-state",
        "a shell of its own for the commands behind it would not be as it was: a variable from a program, a background process, `$?`",
        "a `RUN` of its own";
    UNKNOWN_WORD = "unknown-word",
        "an option or a variable that decides is known to the running shell alone",
        "values from `ARG` and `ENV`; `poetry install $ARGS` is read";
    SCRIPT_FAILS = "script-fails",
        "the script ends with an error by what it says itself",
        "mend the script";
    OUTPUT = "output",
        "the output of the command goes to a file, or another command reads it",
        "leave the output where it is";
    FOLDER = "folder",
        "the script goes to a folder that is not there, or through a link",
        "`WORKDIR`, or `cd` to the folder's own path";
    // Commands.
    COMMAND = "command",
        "`poetry build`, `add`, `lock`, `env info` and other commands do what only Poetry does",
        "a dependency of the image itself; the `poetry install` beside it is served all the same";
    OPTION = "option",
        "an option is not known here",
        "options of Poetry 1.0 to 2.5";
    RUNS_POETRY = "runs-poetry",
        "a script, `Makefile`, configuration or another program runs Poetry",
        "`RUN poetry …` in the Dockerfile itself";
    IMAGE_RUNS_POETRY = "image-runs-poetry",
        "the image itself runs Poetry when it starts, and not by a plain `poetry run`: in an entry script, `HEALTHCHECK`, `ONBUILD`, or its command",
        "`poetry run` with the program behind it, in a shell script with `#!`; or the program itself";
    OTHER_PROGRAM = "other-program",
        "the `poetry` that would run is not Poetry's own program, or is not there",
        "call Poetry by its own path";
    SCRIPT_MISSING = "script-missing",
        "`poetry run` of the project's script where the project is not installed",
        "install the project, or run `python -m`";
    RUN_FOLDER = "run-options",
        "`poetry run` with options of Poetry such as `-C`",
        "`cd` or `WORKDIR` in front of it";
    COPIES_POETRY = "copies-poetry",
        "a `COPY --from` takes Poetry's own files from another stage",
        "copy what was installed; each stage may install Poetry for itself";
    // The project.
    NO_PROJECT = "no-project",
        "there is no `pyproject.toml` or `poetry.lock` in the folder or above it",
        "copy both before the command";
    PROJECT_FILES = "project-files",
        "a file of the project cannot be told: it is in a mount, behind a link, or no text",
        "files that `COPY` brings";
    LOCK = "lock",
        "the project's files are not as Poetry wants them, or the lock does not fit to `pyproject.toml`",
        "`poetry check --lock` tells; `poetry lock` makes a new lock";
    FROM_SOURCE = "from-source",
        "a dependency is built from source, from Git or from a folder, or a build script runs",
        "in a virtual environment all wheels are served, and Poetry does the rest. A version with a wheel, or no Dockerfile at all";
    MODULES = "modules",
        "the project's own modules are not there yet, and the version of Poetry decides whether that is an error",
        "`--no-root`";
    DYNAMIC_VERSION = "dynamic-version",
        "`poetry-dynamic-versioning` gives the project its version",
        "`--no-root`";
    // Settings.
    SETTINGS_FILE = "settings-file",
        "Poetry's settings in `config.toml` are in a mount, or have keys that are not followed",
        "`poetry config`, variables, or `poetry.toml`";
    SETTING = "setting",
        "a setting outside of `poetry.toml` changes what is installed: `installer.no-binary`, options of virtual environments, or one that a condition decides",
        "`poetry.toml` in the project";
    CREDENTIALS = "credentials",
        "credentials of a source of the lock are given to Poetry alone",
        "build secrets, see docs/indexes.md";
    // The environment.
    CONDA = "conda",
        "a Conda environment is active",
        "a virtual environment";
    ACTIVE_ENVIRONMENT = "active-environment",
        "`VIRTUAL_ENV` names an environment that is not there, or is not of the stage's own Python",
        "an environment that a step makes with the base image's Python";
    POETRYS_ENVIRONMENT = "poetrys-environment",
        "Poetry before 1.8 with `virtualenvs.create false` installs into the environment that it is in itself",
        "Poetry 1.8 or later";
    NO_PYTHON = "no-python",
        "the stage begins with no image that has a Python",
        "`FROM` one that has, such as `python:3.12-slim`; what a `RUN` installs is not looked at";
    OTHER_PYTHON = "other-python",
        "another Python than the base image's may be used",
        "the image of that Python";
    MOUNT = "mount",
        "a mount covers the environment, so that it is no part of the image",
        "mount Poetry's cache alone: `target=/root/.cache/pypoetry/cache`";
    TAKEN = "taken",
        "something is where the environment would be, such as a `.venv` from the context",
        "`.dockerignore` with `.venv`";
    PLACE = "place",
        "a folder above the environment is a link, or has a set-group or sticky bit, such as `/tmp`",
        "another folder";
    USER = "user",
        "the user is not in /etc/passwd, or is not root and installs into the system's environment",
        "a virtual environment, or `USER` behind it";
    INSTALLED_ALREADY = "installed-already",
        "a package of the lock is already in an environment that Poetry did not make",
        "a virtual environment of Poetry's";
    SYNC = "sync",
        "`--sync` removes what was installed before",
        "install once";
    USES_PIP = "uses-pip",
        "a later command uses the pip that Poetry puts into its environment",
        "lock what it installs; a model of spaCy has a wheel at an address";
    // Lists of requirements.
    LIST_READ = "list-read",
        "an exported list is read by something else than `pip install -r`",
        "`pip install -r` of the list as it is";
    LIST_PIP = "list-pip",
        "pip is told more than an exported list: other requirements, options or settings that may change what it installs",
        "a `RUN` of its own for the others; `poetry install` with `index` of `[tool.poetry-buildkit]`";
    LIST_CONTENT = "list-content",
        "the list itself depends on Poetry's version, or has what comes from no index or has no wheel, or pip would look for more",
        "`poetry install`; `poetry==…` in the file";
    FOLLOWS = "follows",
        "what the command uses is installed by Poetry; this is not told",
        "as for the install before it";
    SWITCHED_OFF = "off",
        "`# poetry-buildkit: off` says so",
        "take the comment out";
}
