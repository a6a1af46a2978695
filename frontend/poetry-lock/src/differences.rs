//! Where this crate and Poetry part, and which Poetry is followed where versions of it differ.
//!
//! # Which Poetry
//!
//! - A lock of version 2.1 or later is read as Poetry 2.3 and later do by default: by the groups and
//!   markers of its packages, unless poetry.toml sets `installer.re-resolve`.
//!   [`Algorithm::Walk`](crate::Algorithm::Walk) reads it as Poetry 2.0 to 2.2 did, and
//!   [`Algorithm::CrossCheck`](crate::Algorithm::CrossCheck) warns where the two differ. They do where
//!   several entries of a package would do, and for some faulty locks of Poetry before 2.3.
//! - An older lock is solved. If its content hash shows that Poetry 1 made it, `[project]` and
//!   `[dependency-groups]` do not count, and where several solutions exist that of Poetry 1.8 is
//!   found; [`Project::read_as`](crate::Project::read_as) asks for the other dialect.
//! - Constraints, markers and file names are those of Poetry 2.5.
//!
//! # Errors where Poetry goes on
//!
//! - **Two versions of one package.** Extras that overlap can select two entries of a lock of
//!   version 2.1. Poetry installs both, one over the other. Here it is an error that names both and
//!   their markers.
//! - **An unknown variable.** A marker whose truth depends on a variable that the environment does
//!   not tell, e.g. `platform_release`, is an error. In Poetry an absent variable makes a comparison
//!   true.
//! - **More than a hundred levels of included groups, more than 127 entries of one package, more than
//!   250 versions in a constraint or in a list of a marker.** Bounds that no real project comes near.
//!
//! # Going on where Poetry stops
//!
//! - **A lock without `lock-version`** is read as version 1.0, with a warning, as Poetry 1 does.
//!   Poetry 2 refuses it.
//! - **Locks of Poetry 1.0 and 1.1** lack setuptools, pip, wheel and distribute, and later versions
//!   cannot solve them for that reason. A dependency on one of these that is not locked is skipped,
//!   as it was by the Poetry that wrote the lock. Where such a package needs setuptools at run time,
//!   it has to be installed in another way.
//! - **The project's own name** as a dependency of a locked package is skipped, whatever version it
//!   asks for.
//! - **`main`** is a group of every project. In Poetry it does not exist without dependencies.
//! - **Sources** with `default`, `secondary` or the priorities of that name are accepted.
//! - **Files that the project names** (licence, README, packages, folders of dependencies) are not
//!   looked at, so that missing ones are no error.
//! - **A missing name or version** of a project in package mode is no error; whoever installs the
//!   project has to see to that.
//! - **`requires-poetry`** is not looked at.
//! - **Constraints in parentheses**, as Poetry 1.2 read them, are read.
//! - **Comparisons with the variable on the right** and `===` in markers have the meaning of PEP 508.
//! - **A stale lock** is refused with Poetry's words, unless
//!   [`allow_stale`](crate::Options::allow_stale) is set.
//! - **A marker on a package** in a lock of version 1.0 is obeyed, as by Poetry 1. Poetry 2 ignores it.
//! - **A Git dependency** that a lock of version 1.0 pins is taken from the lock. Poetry 1.2 and later
//!   want to clone it to compare the commit.
//!
//! # Warnings where Poetry is silent
//!
//! - A selected package of a lock of version 2.1 whose `python-versions` exclude the interpreter.
//! - An archive at an address without a hash, as in locks of version 1.1 and older.
//!
//! # Not followed
//!
//! - Poetry simplifies a marker before it evaluates it. For a few odd ones that changes the meaning:
//!   `python_version` compared with three components, or `python_full_version` with a list of
//!   shorter ones, beside other comparisons of the same variables. Here every comparison counts for
//!   itself.
//! - Where no extras apply at all, `extra == "x" and extra != "x"` is false in Poetry and true here.
//! - Where a marker compares with the empty text, Poetry's answer is an accident; here texts are
//!   compared.
//! - Where a lock has both 2.1.0 and 2.1.0+local of a package, Poetry 1.8 may take the one's conflicts
//!   for the other's and leave out what is asked for.
//! - Poetry gives up if a candidate that it tries has dependencies which exclude each other. The same
//!   candidates are refused here, but fewer may be tried.
//! - Of files that rank the same, Poetry takes the one that the index lists first. Here it is the one
//!   that the lock lists first; [`Choice::ties`](crate::Choice::ties) has the others.
