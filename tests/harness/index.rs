//! A simple repository (PEP 691, and PEP 503 for those who do not ask for JSON) on loopback that serves real files, counts
//! requests, fails when told to, and can want a password over TLS.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use poetry_lock::DistributionFile;
use serde_json::json;

use crate::{tls, wheels::digest};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The answer is this status.
    Status(u16),
    /// The connection ends after this many bytes of the file.
    Cut(usize),
    /// The file arrives with one byte changed.
    Corrupt,
}

/// A running repository. It ends with the test's process.
#[derive(Debug, Clone)]
pub struct Index {
    address: String,
    /// The header `Authorization` that is wanted. With it the repository is behind TLS.
    authorization: Option<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, PathBuf>,
    requests: Vec<String>,
    faults: BTreeMap<String, Vec<Fault>>,
}

impl Index {
    /// Serves the files below `folder`.
    pub fn start(folder: &Path) -> Self {
        Self::serving(folder, None, "127.0.0.1:0")
    }

    /// The same at an address that does not change from run to run if it is free, so that steps stay cached that name it.
    pub fn start_at(folder: &Path, port: u16) -> Self {
        Self::serving(folder, None, &format!("127.0.0.1:{port}"))
    }

    /// Serves the files below `folder` over TLS, to those who know the password.
    pub fn private(folder: &Path, username: &str, password: &str) -> Self {
        Self::serving(folder, Some(tls::basic(username, password)), "127.0.0.1:0")
    }

    fn serving(folder: &Path, authorization: Option<String>, address: &str) -> Self {
        let listener = TcpListener::bind(address).or_else(|_| TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let files = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
            .collect();
        let index = Self {
            address: listener.local_addr().expect("an address").to_string(),
            authorization,
            state: Arc::new(Mutex::new(State { files, ..State::default() })),
        };
        let served = index.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let served = served.clone();
                thread::spawn(move || match served.authorization {
                    None => served.serve(connection),
                    Some(_) => served.serve(tls::accept(connection)),
                });
            }
        });
        index
    }

    /// The address of the repository.
    pub fn url(&self) -> String {
        let scheme = if self.authorization.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/simple", self.address)
    }

    /// Lets the next requests for `file` fail, one fault each.
    pub fn fail(&self, file: &str, faults: &[Fault]) {
        self.state().faults.insert(file.to_owned(), faults.to_vec());
    }

    /// The paths that were asked for since the last call.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the index panicked")
    }

    fn serve(&self, connection: impl Read + Write) {
        let mut reader = BufReader::new(connection);
        while let Some(request) = request(&mut reader) {
            let connection = reader.get_mut();
            let done = if self.authorization.is_some() && request.authorization != self.authorization {
                let status = if request.authorization.is_some() { 403 } else { 401 };
                send(connection, status, "text/plain", b"who are you?", usize::MAX)
            } else {
                self.answer(connection, &request)
            };
            if done.is_none() {
                return;
            }
        }
    }

    /// `None` ends the connection.
    fn answer(&self, connection: &mut impl Write, request: &Request) -> Option<()> {
        let path = request.path.as_str();
        let name = path.trim_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        let (file, fault) = {
            let mut state = self.state();
            state.requests.push(path.to_owned());
            let fault = state.faults.get_mut(&name).filter(|faults| !faults.is_empty()).map(|faults| faults.remove(0));
            (state.files.get(&name).cloned(), fault)
        };
        if let Some(Fault::Status(status)) = fault {
            return send(connection, status, "text/plain", b"told to fail", usize::MAX);
        }
        if path.starts_with("/simple/") {
            let (kind, page) = match request.json {
                true => ("application/vnd.pypi.simple.v1+json", self.page(&name)),
                false => ("text/html", self.html(&name)),
            };
            return send(connection, 200, kind, page.as_bytes(), usize::MAX);
        }
        let Some(mut content) = file.and_then(|file| fs::read(file).ok()) else {
            return send(connection, 404, "text/plain", b"no such file", usize::MAX);
        };
        match fault {
            Some(Fault::Cut(length)) => return send(connection, 200, "application/octet-stream", &content, length),
            Some(Fault::Corrupt) => content[0] ^= 1,
            _ => {}
        }
        send(connection, 200, "application/octet-stream", &content, usize::MAX)
    }

    fn page(&self, project: &str) -> String {
        let files = self.files(project).into_iter();
        let files: Vec<_> = files
            .map(|(name, digest)| {
                json!({ "filename": name, "url": format!("/files/{name}"), "hashes": { "sha256": digest } })
            })
            .collect();
        json!({ "meta": { "api-version": "1.0" }, "name": project, "files": files }).to_string()
    }

    fn html(&self, project: &str) -> String {
        let files = self.files(project).into_iter();
        let links = files.map(|(name, digest)| format!("<a href=\"/files/{name}#sha256={digest}\">{name}</a><br>\n"));
        format!("<!DOCTYPE html>\n<html><body>\n{}</body></html>\n", links.collect::<String>())
    }

    /// Name and digest of each file of a project.
    fn files(&self, project: &str) -> Vec<(String, String)> {
        let state = self.state();
        let of_project = state.files.iter().filter(|(name, _)| {
            DistributionFile::parse(name).is_some_and(|distribution| distribution.name.as_str() == project)
        });
        of_project.map(|(name, path)| (name.clone(), digest(path))).collect()
    }
}

/// What is read of a request.
struct Request {
    path: String,
    /// The header `Authorization`.
    authorization: Option<String>,
    /// Whether JSON is asked for.
    json: bool,
}

/// The next request on a connection.
fn request(reader: &mut impl BufRead) -> Option<Request> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut request = Request { path: first.split(' ').nth(1)?.to_owned(), authorization: None, json: false };
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("authorization") {
            request.authorization = Some(value.trim().to_owned());
        } else if name.eq_ignore_ascii_case("accept") {
            request.json = value.contains("json");
        }
        line.clear();
    }
    Some(request)
}

/// Sends an answer whose body ends after `cut` bytes.
fn send(connection: &mut impl Write, status: u16, kind: &str, body: &[u8], cut: usize) -> Option<()> {
    let head = format!("HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
    connection.write_all(head.as_bytes()).ok()?;
    connection.write_all(&body[..body.len().min(cut)]).ok()?;
    connection.flush().ok()?;
    if cut < body.len() { None } else { Some(()) }
}
