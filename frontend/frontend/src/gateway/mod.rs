//! The gateway: what the frontend asks of the daemon that started it (BuildKit `frontend/gateway/pb/gateway.proto`).

mod bridge;
mod maps;
mod transport;

use std::collections::BTreeMap;

use buildkit_llb::{Caps, Platform};
use buildkit_proto::{
    gateway::{self, llb_bridge_client::LlbBridgeClient, result},
    pb, rpc,
};
use prost::Message;
use thiserror::Error;
use tonic::transport::Channel;

pub use bridge::{Answer, Bridge};

/// The largest message that BuildKit sends or takes.
const MESSAGE_LIMIT: usize = 16 << 20;

/// A call that failed.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no connection.
    #[error("cannot reach BuildKit on stdin and stdout: {0}")]
    Connect(#[from] tonic::transport::Error),
    /// The daemon answered with an error.
    #[error("{}", .0.message())]
    Status(Box<tonic::Status>),
    /// The daemon has a frontend switched off that this one needs.
    #[error(
        "this BuildKit has its built-in Dockerfile frontend `{0}` switched off, which poetry-buildkit lets execute the \
         Dockerfile. Whoever runs BuildKit can switch it on: `[frontend.\"{0}\"] enabled = true` in buildkitd.toml. A \
         Dockerfile of its `# syntax=` line alone, beside pyproject.toml, is built without it"
    )]
    NoFrontend(&'static str),
    /// The daemon's answer is not what the protocol says.
    #[error("BuildKit gave an answer that cannot be read: {0}")]
    Answer(String),
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl Error {
    /// The error as it came, with all details, to be handed back with [`Gateway::fail`].
    #[must_use]
    pub fn status(&self) -> rpc::Status {
        if let Self::Status(status) = self {
            if let Ok(whole) = rpc::Status::decode(status.details())
                && whole.code != 0
            {
                return whole;
            }
            return rpc::Status {
                code: i32::from(status.code()),
                message: status.message().to_owned(),
                details: Vec::new(),
            };
        }
        rpc::Status { code: i32::from(tonic::Code::Unknown), message: self.to_string(), details: Vec::new() }
    }
}

/// Whether what is there is a folder, by the bit of Go's `fs.FileMode`.
#[must_use]
pub fn is_folder(stat: &Stat) -> bool {
    stat.mode & (1 << 31) != 0
}

/// What the daemon says of itself before anything is asked of it.
#[derive(Debug, Clone, Default)]
pub struct Daemon {
    /// Capabilities of LLB.
    pub llb: Caps,
    /// The platforms of the first worker, its own first.
    pub platforms: Vec<Platform>,
}

/// A registry cache or the like from which results may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheImport {
    /// Its type, e.g. `registry`.
    pub kind: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
}

/// A resolved image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedImage {
    /// The reference to use; the daemon may have changed it.
    pub reference: String,
    /// The digest of the manifest; empty if the daemon has none.
    pub digest: String,
    /// The image config.
    pub config: Vec<u8>,
}

/// The reference of a solved result.
pub type Ref = gateway::Ref;

/// What is known of a file.
pub type Stat = buildkit_proto::stat::Stat;

/// Whether an error says that there is no such file.
fn is_absent(message: &str) -> bool {
    message.contains("no such file or directory") || message.contains("not a directory")
}

/// The connection to the daemon.
#[derive(Debug, Clone)]
pub struct Gateway {
    client: LlbBridgeClient<Channel>,
    cache_imports: Vec<gateway::CacheOptionsEntry>,
}

impl Gateway {
    /// Connects over stdin and stdout. `cache_imports` are used by every solve.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn connect(cache_imports: &[CacheImport]) -> Result<Self, Error> {
        let client = LlbBridgeClient::new(transport::connect().await?)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        let cache_imports = cache_imports
            .iter()
            .map(|import| gateway::CacheOptionsEntry { r#type: import.kind.clone(), attrs: import.attributes.clone() })
            .collect();
        Ok(Self { client, cache_imports })
    }

    /// Asks what the daemon can do.
    ///
    /// # Errors
    /// Any error of the call.
    pub async fn ping(&self) -> Result<Daemon, Error> {
        let pong = self.client.clone().ping(gateway::PingRequest {}).await?.into_inner();
        Ok(Daemon {
            llb: pong.llb_caps.into_iter().collect(),
            platforms: pong.workers.into_iter().take(1).flat_map(|worker| worker.platforms).map(Into::into).collect(),
        })
    }

    /// Solves a definition and returns its result. It is lazy: work begins when the result is read or returned.
    ///
    /// # Errors
    /// Any error of the call.
    pub async fn solve(&self, definition: impl Into<pb::Definition>) -> Result<Ref, Error> {
        let request = gateway::SolveRequest {
            definition: Some(definition.into()),
            allow_result_return: true,
            allow_result_array_ref: true,
            cache_imports: self.cache_imports.clone(),
            ..Default::default()
        };
        let solved = self.client.clone().solve(request).await?.into_inner();
        match solved.result.and_then(|solved| solved.result) {
            Some(result::Result::Ref(reference)) => Ok(reference),
            _ => Err(Error::Answer("a solve gave no single result".into())),
        }
    }

    /// Lets another frontend of the daemon's make the result.
    ///
    /// # Errors
    /// Any error of the call, among them those of the other frontend.
    pub async fn delegate(
        &self,
        frontend: &str,
        options: BTreeMap<String, String>,
        inputs: BTreeMap<String, pb::Definition>,
    ) -> Result<gateway::Result, Error> {
        let request = gateway::SolveRequest {
            frontend: frontend.to_owned(),
            frontend_opt: options,
            frontend_inputs: inputs,
            allow_result_return: true,
            allow_result_array_ref: true,
            cache_imports: self.cache_imports.clone(),
            ..Default::default()
        };
        let solved = self.client.clone().solve(request).await?.into_inner();
        let mut result = solved.result.ok_or_else(|| Error::Answer("a frontend gave no result".into()))?;
        match &mut result.result {
            Some(result::Result::Ref(reference)) => reference.def.iter_mut().for_each(maps::tidy),
            Some(result::Result::Refs(map)) => {
                map.refs.values_mut().filter_map(|reference| reference.def.as_mut()).for_each(maps::tidy);
            }
            _ => {}
        }
        Ok(result)
    }

    /// What is known of the file or folder at a path of a result, links followed; `None` if it is not there.
    ///
    /// # Errors
    /// Any other error of the call.
    pub async fn stat(&self, result: &Ref, path: &str) -> Result<Option<Stat>, Error> {
        let request =
            gateway::StatFileRequest { r#ref: result.id.clone(), path: path.to_owned(), ..Default::default() };
        match self.client.clone().stat_file(request).await {
            Ok(answer) => Ok(answer.into_inner().stat),
            // The daemon tells by the text alone, and that of links in the way differs.
            Err(status) if is_absent(status.message()) => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    /// Runs what a result depends on.
    ///
    /// # Errors
    /// Any error of the call, among them that of a process that failed.
    pub async fn evaluate(&self, result: &Ref) -> Result<(), Error> {
        let request = gateway::EvaluateRequest { r#ref: result.id.clone() };
        self.client.clone().evaluate(request).await?;
        Ok(())
    }

    /// Reads a file of a result.
    ///
    /// # Errors
    /// Any error of the call, among them that the file is not there.
    pub async fn read_file(&self, result: &Ref, path: &str) -> Result<Vec<u8>, Error> {
        let request =
            gateway::ReadFileRequest { r#ref: result.id.clone(), file_path: path.to_owned(), ..Default::default() };
        Ok(self.client.clone().read_file(request).await?.into_inner().data)
    }

    /// What is in a folder of a result, links not followed: all of it, or what one name or pattern fits to. Nothing if
    /// there is no such folder.
    ///
    /// # Errors
    /// Any other error of the call.
    pub async fn entries(&self, result: &Ref, path: &str, include: &str) -> Result<Vec<Stat>, Error> {
        let request = gateway::ReadDirRequest {
            r#ref: result.id.clone(),
            dir_path: path.to_owned(),
            include_pattern: include.to_owned(),
            ..Default::default()
        };
        match self.client.clone().read_dir(request).await {
            Ok(answer) => Ok(answer.into_inner().entries),
            Err(status) if is_absent(status.message()) => Ok(Vec::new()),
            Err(status) => Err(status.into()),
        }
    }

    /// The names in a folder of a result, those of folders with a `/` at the end.
    ///
    /// # Errors
    /// Any error of the call, among them that the folder is not there.
    pub async fn read_dir(&self, result: &Ref, path: &str) -> Result<Vec<String>, Error> {
        let request =
            gateway::ReadDirRequest { r#ref: result.id.clone(), dir_path: path.to_owned(), ..Default::default() };
        let entries = self.client.clone().read_dir(request).await?.into_inner().entries;
        Ok(entries
            .into_iter()
            .map(|entry| {
                let end = if is_folder(&entry) { "/" } else { "" };
                format!("{}{end}", entry.path)
            })
            .collect())
    }

    /// Resolves an image to its config. `name` is the line that the user sees meanwhile.
    ///
    /// # Errors
    /// Any error of the call, among them that there is no such image.
    pub async fn resolve_image(
        &self,
        reference: &str,
        platform: &Platform,
        mode: &str,
        name: &str,
    ) -> Result<ResolvedImage, Error> {
        let request = gateway::ResolveImageConfigRequest {
            r#ref: reference.to_owned(),
            platform: Some(platform.clone().into()),
            resolve_mode: mode.to_owned(),
            log_name: name.to_owned(),
            ..Default::default()
        };
        let answer = self.client.clone().resolve_image_config(request).await?.into_inner();
        Ok(ResolvedImage {
            reference: if answer.r#ref.is_empty() { reference.to_owned() } else { answer.r#ref },
            digest: answer.digest,
            config: answer.config,
        })
    }

    /// The definitions that the caller gave as inputs, by name.
    ///
    /// # Errors
    /// Any error of the call.
    pub async fn inputs(&self) -> Result<BTreeMap<String, pb::Definition>, Error> {
        let mut answer = self.client.clone().inputs(gateway::InputsRequest {}).await?.into_inner();
        answer.definitions.values_mut().for_each(maps::tidy);
        Ok(answer.definitions)
    }

    /// Shows a warning to the user.
    ///
    /// # Errors
    /// Any error of the call.
    pub async fn warn(&self, warning: gateway::WarnRequest) -> Result<(), Error> {
        self.client.clone().warn(warning).await?;
        Ok(())
    }

    /// Ends the build with a result. Nothing may be called after it.
    ///
    /// # Errors
    /// Any error of the call.
    pub async fn succeed(&self, mut result: gateway::Result) -> Result<(), Error> {
        maps::fill(&mut result);
        self.end(gateway::ReturnRequest { result: Some(result), error: None }).await
    }

    /// Ends the build with an error. Nothing may be called after it.
    ///
    /// # Errors
    /// Any error of the call.
    pub async fn fail(&self, status: rpc::Status) -> Result<(), Error> {
        self.end(gateway::ReturnRequest { result: None, error: Some(status) }).await
    }

    async fn end(&self, request: gateway::ReturnRequest) -> Result<(), Error> {
        self.client.clone().r#return(request).await?;
        Ok(())
    }
}
