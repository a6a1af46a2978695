//! Everything that can end a build, and how the user is told.

use buildkit_llb::MissingCaps;
use thiserror::Error;

use crate::{
    gateway, image, interpreter, plan, python,
    report::Report,
    request,
    settings::{self, Origin},
    source::{Place, Sources},
};

/// Why there is no image.
#[derive(Debug, Error)]
pub enum Error {
    /// The options of the build cannot be used.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// `[tool.poetry-buildkit]` or a build argument cannot be used.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// pyproject.toml or poetry.lock cannot be used.
    #[error(transparent)]
    Lock(#[from] poetry_lock::Error),
    /// No Python could be chosen.
    #[error(transparent)]
    Python(#[from] python::Error),
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The interpreter of the base image cannot be used.
    #[error(transparent)]
    Interpreter(#[from] interpreter::Error),
    /// The base image's config cannot be used.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// A call of the daemon failed.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    /// The graph is not valid.
    #[error("the build graph is not valid: {0}. This is a defect of poetry-buildkit; please report it")]
    Graph(#[from] buildkit_llb::Error),
    /// A graph that the daemon gave cannot be read.
    #[error("a build graph given by BuildKit cannot be read: {0}")]
    Splice(#[from] buildkit_llb::SpliceError),
    /// The daemon is too old, or its image store lacks something.
    #[error("{0}")]
    MissingCaps(#[from] MissingCaps),
    /// A file that a Poetry project has is not there.
    #[error("there is no {file} in the build context")]
    MissingFile {
        /// Its path.
        file: &'static str,
    },
    /// A file is not text.
    #[error("{file} is not valid UTF-8")]
    NotText {
        /// Its path.
        file: String,
    },
    /// No target has this name.
    #[error("there is no target `{0}`: the targets are {1}")]
    Target(String, String),
    /// An image cannot be had.
    #[error("cannot resolve the image `{reference}` for {platform}: {source}")]
    BaseImage {
        /// Its reference.
        reference: String,
        /// The platform.
        platform: String,
        /// Why.
        source: gateway::Error,
    },
    /// A named context is of a kind that cannot be used.
    #[error("the build context `{name}` cannot be used as an image: `{value}` is not docker-image://")]
    NamedContext {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// The context with files of packages is of a kind that cannot be used.
    #[error("the build context `wheelhouse` has to be a folder of yours, not `{value}`")]
    Wheelhouse {
        /// Its value.
        value: String,
    },
    /// The project to be built cannot be told from another.
    #[error(
        "the pyproject.toml beside the file that is built is that of several folders of the context: `{first}` and `{second}`"
    )]
    SeveralProjects {
        /// One of them.
        first: String,
        /// Another.
        second: String,
    },
    /// Files of packages are not in the wheelhouse.
    #[error("the wheelhouse lacks {} of the files that poetry.lock asks for: {}", files.len(), files.join(", "))]
    NotInWheelhouse {
        /// Their names.
        files: Vec<String>,
    },
    /// A question that is not answered.
    #[error("{}", .0.message)]
    Question(buildkit_proto::rpc::Status),
    /// The interpreter's description cannot be read.
    #[error("the description of the interpreter cannot be read: {0}")]
    Facts(#[from] serde_json::Error),
    /// The frontend's own image cannot be found.
    #[error("the frontend's own image is not known: BuildKit gave neither its definition nor its name")]
    NoToolImage,
}

impl Error {
    /// What the user is shown. `sources` are the files that places refer to.
    #[must_use]
    pub fn report(&self, sources: &Sources) -> Report {
        Report { message: self.to_string(), place: self.place(sources), argument: self.argument(), help: self.help() }
    }

    fn place(&self, sources: &Sources) -> Option<Place> {
        let of_origin = |origin: &Origin| match origin {
            Origin::File(place) => Some(place.clone()),
            Origin::Argument(_) => None,
        };
        match self {
            Self::Settings(error) => of_origin(error.origin()),
            Self::Python(error) => error.origin().and_then(of_origin),
            Self::MissingFile { file: "poetry.lock" } => sources.project(),
            Self::Lock(error) => sources.place(error.span()?),
            Self::Plan(error) => match (error.origin(), error.span()) {
                (Some(origin), _) => of_origin(origin),
                (None, span) => sources.place(span?),
            },
            _ => None,
        }
    }

    /// The build argument that is at fault.
    fn argument(&self) -> Option<String> {
        let origin = match self {
            Self::Settings(error) => Some(error.origin()),
            Self::Python(error) => error.origin(),
            Self::Plan(error) => error.origin(),
            _ => None,
        };
        match origin {
            Some(Origin::Argument(name)) => Some(name.clone()),
            _ => None,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Settings(error) => error.help(),
            Self::Lock(error) => error.help(),
            Self::Plan(error) => error.help(),
            Self::MissingFile { file: "poetry.lock" } => Some(
                "run `poetry lock` in the project's folder and commit the file; it is read even if .dockerignore leaves it out"
                    .to_owned(),
            ),
            Self::MissingFile { .. } => {
                Some("the build context has to be the folder of a Poetry project, e.g. `docker buildx build .`".to_owned())
            }
            Self::Python(_) => Some(
                "set `python` of [tool.poetry-buildkit], or change .python-version or the project's constraint".to_owned(),
            ),
            Self::SeveralProjects { first, .. } => {
                Some(format!("say which one it is: --build-arg POETRY_BUILDKIT_PROJECT={first}"))
            }
            Self::Wheelhouse { .. } | Self::NotInWheelhouse { .. } => Some(
                "fill a folder with `docker buildx build --target wheelhouse --output DIR .`, for the same platform and \
                 settings, and pass it with `--build-context wheelhouse=DIR`"
                    .to_owned(),
            ),
            Self::BaseImage { .. } => Some(
                "set `base` of [tool.poetry-buildkit] to an image that exists for this platform, or `python` to a version \
                 that has official images"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
