//! Ways to build the image of a project.

use std::{fs, path::Path};

use end_to_end::docker::Build;
use serde::{Deserialize, Serialize};

/// A way to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// The last Dockerfile of the well-known article on Poetry and Docker, with Poetry.
    Poetry,
    /// The same with pip and an exported lock with hashes.
    Pip,
    /// uv's recipe: its binary from an image, a cache mount, and an exported lock with hashes. BuildKit's built-in frontend
    /// does what remains when nothing changed.
    Uv,
    /// The Dockerfile of [`Contender::Poetry`] with one more line.
    DropIn,
    /// A Dockerfile that has only that line.
    Ours,
}

pub const ALL: [Contender; 5] = [Contender::Poetry, Contender::Pip, Contender::Uv, Contender::DropIn, Contender::Ours];

/// The versions of what others need, as the index has them.
#[derive(Debug, Clone)]
pub struct Tools {
    pub poetry: String,
    pub uv: String,
}

const BUILDER: &str = "FROM python:3.11-slim AS builder\n\
    ARG INDEX\n\
    ENV PIP_INDEX_URL=$INDEX PIP_DISABLE_PIP_VERSION_CHECK=1 UV_DEFAULT_INDEX=$INDEX\n\
    WORKDIR /app\n";

const RUNTIME: &str = "\n\
    FROM python:3.11-slim\n\
    ENV VIRTUAL_ENV=/app/.venv PATH=/app/.venv/bin:$PATH\n\
    WORKDIR /app\n\
    COPY --from=builder /app/.venv /app/.venv\n\
    COPY app ./app\n\
    CMD [\"python\", \"-m\", \"app.main\"]\n";

impl Contender {
    pub fn name(self) -> &'static str {
        match self {
            Self::Poetry => "poetry",
            Self::Pip => "pip",
            Self::Uv => "uv",
            Self::DropIn => "drop-in",
            Self::Ours => "ours",
        }
    }

    /// Writes its Dockerfile into a project's folder.
    pub fn prepare(self, folder: &Path, tools: &Tools) {
        fs::write(folder.join("Dockerfile"), self.dockerfile(tools)).expect("a Dockerfile");
        let unused = if self == Self::Ours { "requirements.txt\n" } else { "" };
        fs::write(folder.join(".dockerignore"), unused).expect(".dockerignore");
    }

    fn dockerfile(self, tools: &Tools) -> String {
        let install = match self {
            Self::Poetry | Self::DropIn => format!(
                "RUN pip install poetry=={}\n\
                 ENV POETRY_NO_INTERACTION=1 POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_VIRTUALENVS_CREATE=1 POETRY_CACHE_DIR=/tmp/poetry_cache\n\
                 COPY pyproject.toml poetry.lock ./\n\
                 RUN --mount=type=cache,target=$POETRY_CACHE_DIR poetry install --only main --no-root\n",
                tools.poetry
            ),
            Self::Pip => "RUN python -m venv /app/.venv\n\
                 RUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,source=requirements.txt,target=requirements.txt \
                 .venv/bin/pip install --require-hashes --no-deps -r requirements.txt\n"
                .to_owned(),
            Self::Uv => "COPY --from=bench-uv /uv /bin/\n\
                 ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=0\n\
                 RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,source=requirements.txt,target=requirements.txt \
                 uv venv && uv pip sync --require-hashes requirements.txt\n"
                .to_owned(),
            Self::Ours => return "# syntax=poetry-buildkit\n".to_owned(),
        };
        let syntax = if self == Self::DropIn { "# syntax=poetry-buildkit\n" } else { "" };
        format!("{syntax}{BUILDER}{install}{RUNTIME}")
    }

    /// A build of a folder that was prepared for it.
    pub fn build(self, folder: &Path, index: &str) -> Build {
        let build = Build::new(folder);
        if self == Self::Ours { build } else { build.build_arg("INDEX", index) }
    }
}
