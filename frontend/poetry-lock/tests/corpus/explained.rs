//! The differences that are known.

use super::Kind;

/// Where this crate and the recorded answer differ, and why this crate is right. A row that no
/// case needs any longer fails the test.
pub(crate) const EXPLAINED: &[Explained] = &[
    row("c7n-gcp-1.0", "expected-poetry-1.1/", Kind::Errors, FAULTY_CONSTRAINT),
    row("cloud-custodian-1.0", "expected-poetry-1.1/", Kind::Errors, FAULTY_CONSTRAINT),
    row("c7n-mailer-1.0", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("nonebot2-1.0", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("nonebot2-none", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("poetry2nix-ansible-molecule-1.0", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("powertools-1.0", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("rich-1.0", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("saleor-1.0", "expected/py38", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("tortoise-orm-1.0", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("wemake-django-template-1.0", "expected/", Kind::Errors, SETUPTOOLS_NOT_LOCKED),
    row("nautobot-1.1", "expected-poetry-1.1/", Kind::Packages, SETUPTOOLS_LOCKED),
    row("rich-1.1", "expected-poetry-1.1/", Kind::Packages, SETUPTOOLS_LOCKED),
    row("synapse-1.1", "expected-poetry-1.1/", Kind::Packages, SETUPTOOLS_LOCKED),
    row("coveo-testing-extras-1.1", "expected-poetry-1.1/", Kind::Errors, PYTHON_NOT_CHECKED),
    row("etna-1.1", "expected-poetry-1.1/", Kind::Errors, PYTHON_NOT_CHECKED),
    row("saleor-1.0", "expected-poetry-1.1/", Kind::Errors, PYTHON_NOT_CHECKED),
    row("nautobot-1.1", "expected-poetry-1.1/py311__extras_all+ldap+mysql", Kind::Errors, RAW_EXTRAS),
    row("poetry-incompatible-lock", "expected/", Kind::Errors, VERSION_FIRST),
    row("bodhi-1.1", "expected-poetry-1.1/py311__no-dev", Kind::Packages, FOLDERS_WITHOUT_DEPENDENCIES),
];

type Why = (&'static str, &'static str);

const FAULTY_CONSTRAINT: Why = (
    "python_version<3.8",
    "`<2.0.0;python_version<3.8` is no constraint. Poetry 1.1 read it up to the semicolon; \
    Poetry 1.2 and later refuse it, as the answers of 1.8.5 in `expected` show, and so do we.",
);
const SETUPTOOLS_NOT_LOCKED: Why = (
    "setuptools",
    "Poetry 1.0 and 1.1 left setuptools and the like out of the lock. Poetry 1.8.5 cannot \
    solve such a lock; Poetry 1.1.15 installs from it what we select (`expected-poetry-1.1`).",
);
const SETUPTOOLS_LOCKED: Why = (
    "+ setuptools ",
    "The lock was written by Poetry 1.2, which locks setuptools. Poetry 1.8.5 installs it \
    (`expected`); Poetry 1.1.15 never does.",
);
const PYTHON_NOT_CHECKED: Why = (
    "PythonNotAllowed",
    "Poetry 1.1 does not check the Python of an active environment; later ones refuse it (`expected`).",
);
const RAW_EXTRAS: Why = (
    "Extra [remote_storage] is not specified",
    "Poetry 1.1 compares the names of extras as they are spelled; later ones normalize them (`expected`).",
);
const VERSION_FIRST: Why = (
    "changed significantly",
    "The lock is of version 999 and stale. Poetry complains of the one first, we of the other.",
);
const FOLDERS_WITHOUT_DEPENDENCIES: Why = (
    "+ ",
    "Poetry 1.1.15 installs three folders and nothing that they depend on; Poetry 1.8.5 \
    gives our answer to the same request (`expected/py311__only_main.json`).",
);

const fn row(case: &'static str, answer: &'static str, kind: Kind, (about, why): Why) -> Explained {
    Explained { case, answer, kind, about, why }
}

/// One or several answers that differ for one reason.
pub(crate) struct Explained {
    pub(crate) case: &'static str,
    /// The beginning of the name of the answer's file, with its folder.
    pub(crate) answer: &'static str,
    pub(crate) kind: Kind,
    /// What the difference has to be about: a text in each of its lines, or in Poetry's error.
    pub(crate) about: &'static str,
    pub(crate) why: &'static str,
}
