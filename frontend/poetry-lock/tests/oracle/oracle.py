"""Answers questions with the code of real Poetry.

Usage: python oracle.py SUBJECT < questions.json > answers.json

SUBJECT is `markers`, `constraints` or `installs`. The interpreter must have Poetry installed.
"""

import json
import re
import signal
import sys
from pathlib import Path

# Poetry 1.8 does not come to an end with some locks that have no solution.
SECONDS_PER_INSTALL = 5


def markers(questions):
    """Whether each marker holds in each environment, by Poetry and by packaging."""
    from packaging.markers import Marker
    from poetry.core.version.markers import parse_marker

    def by_poetry(text, environment, extras):
        try:
            marker = parse_marker(text)
            if extras is not None:
                environment = {**environment, "extra": set(extras)}
            return marker.validate(environment)
        except Exception:
            return None

    def by_packaging(text, environment):
        try:
            return Marker(text).evaluate({**environment, "extra": ""})
        except Exception:
            return None

    return [
        [
            [by_poetry(text, environment, questions["extras"]), by_packaging(text, environment)]
            for environment in questions["environments"]
        ]
        for text in questions["markers"]
    ]


def constraints(questions):
    """The versions that each constraint allows; null if it cannot be read."""
    from poetry.core.constraints.version import Version, parse_constraint

    versions = [Version.parse(version) for version in questions["versions"]]

    def allowed(text):
        try:
            constraint = parse_constraint(text)
        except Exception:
            return None
        return [constraint.allows(version) for version in versions]

    return [allowed(text) for text in questions["constraints"]]


def installs(questions):
    """What Poetry would install for each project: names and versions, or null for an error.

    Each question has the folder of a project, the variables of its environment, whether the lock is
    resolved again, and the groups and extras that are wanted.
    """
    import poetry.__version__ as about
    from cleo.io.null_io import NullIO
    from packaging.utils import canonicalize_name
    from poetry.config.config import Config
    from poetry.factory import Factory
    from poetry.installation.executor import Executor
    from poetry.installation.installer import Installer
    from poetry.repositories import Repository, RepositoryPool
    from poetry.utils.env import MockEnv

    is_poetry_1 = about.__version__.startswith("1.")

    class Recorder(Executor):
        def execute(self, operations):
            self.recorded = operations
            return 0

    class Environment(MockEnv):
        def __init__(self, variables):
            full = re.match(r"(\d+)\.(\d+)\.(\d+)", variables["python_full_version"])
            super().__init__(version_info=tuple(int(part) for part in full.groups()))
            self._variables = variables

        def get_marker_env(self):
            return dict(self._variables)

    def install(question):
        poetry = Factory().create_poetry(Path(question["folder"]))
        environment = Environment(question["environment"])
        config = Config()
        config.merge({"installer": {"re-resolve": question["re_resolve"]}})
        executor = Recorder(environment, RepositoryPool(), config, NullIO())
        installed = Repository("installed")
        if not is_poetry_1:
            from poetry.repositories.installed_repository import InstalledRepository

            installed = InstalledRepository()
        installer = Installer(
            NullIO(), environment, poetry.package, poetry.locker, RepositoryPool(), config, installed, executor
        )
        if question["groups"] is not None:
            # Poetry 1 compares the names of groups as they are spelled.
            groups = question["groups"]
            installer.only_groups(groups if is_poetry_1 else [canonicalize_name(group) for group in groups])
        installer.extras(question["extras"])
        installer.dry_run(True)
        installer.run()
        return sorted(
            f"{operation.package.name} {operation.package.version}"
            for operation in executor.recorded
            if operation.job_type == "install" and not operation.skipped
        )

    def give_up(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    answers = []
    for question in questions:
        signal.alarm(SECONDS_PER_INSTALL)
        try:
            answers.append({"install": install(question), "error": None})
        except Exception as error:
            answers.append({"install": None, "error": f"{type(error).__name__}: {error}"})
    return {"poetry": about.__version__, "answers": answers}


if __name__ == "__main__":
    subject = {"markers": markers, "constraints": constraints, "installs": installs}[sys.argv[1]]
    json.dump(subject(json.load(sys.stdin)), sys.stdout)
