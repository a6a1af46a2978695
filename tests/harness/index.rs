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
    time::{Duration, Instant},
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

/// What a network puts between a client and the repository.
#[derive(Debug, Clone, Copy, Default)]
pub struct Link {
    /// How long every answer takes to begin.
    pub latency: Duration,
    /// How many bytes of answers go through in a second, over all connections; `None` for as many as can.
    pub rate: Option<u64>,
}

/// A running repository. It ends with the test's process.
#[derive(Debug, Clone)]
pub struct Index {
    address: String,
    link: Link,
    /// The header `Authorization` that is wanted. With it the repository is behind TLS.
    authorization: Option<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By their names.
    files: BTreeMap<String, PathBuf>,
    /// Names and digests of the files of a project, once they were asked for.
    pages: BTreeMap<String, Vec<(String, String)>>,
    /// When the link will have taken all that was given to it.
    busy_until: Option<Instant>,
    sent: u64,
    requests: Vec<String>,
    faults: BTreeMap<String, Vec<Fault>>,
}

impl Index {
    /// Serves the files below `folder`.
    pub fn start(folder: &Path) -> Self {
        Self::serving(folder, None, Link::default(), "127.0.0.1:0")
    }

    /// The same at an address that does not change from run to run if it is free, so that steps stay cached that name it.
    pub fn start_at(folder: &Path, port: u16) -> Self {
        Self::start_behind(Link::default(), folder, port)
    }

    /// The same behind a link.
    pub fn start_behind(link: Link, folder: &Path, port: u16) -> Self {
        Self::serving(folder, None, link, &format!("127.0.0.1:{port}"))
    }

    /// Serves the files below `folder` over TLS, to those who know the password.
    pub fn private(folder: &Path, username: &str, password: &str) -> Self {
        Self::serving(folder, Some(tls::basic(username, password)), Link::default(), "127.0.0.1:0")
    }

    fn serving(folder: &Path, authorization: Option<String>, link: Link, address: &str) -> Self {
        let listener = TcpListener::bind(address).or_else(|_| TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let files = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
            .collect();
        let index = Self {
            address: listener.local_addr().expect("an address").to_string(),
            authorization,
            link,
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

    /// How many bytes of files and pages were sent since the last call.
    pub fn sent(&self) -> u64 {
        std::mem::take(&mut self.state().sent)
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
                self.send(connection, status, "text/plain", b"who are you?", usize::MAX)
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
            return self.send(connection, status, "text/plain", b"told to fail", usize::MAX);
        }
        if path.starts_with("/simple/") {
            let (kind, page) = match request.json {
                true => ("application/vnd.pypi.simple.v1+json", self.page(&name)),
                false => ("text/html", self.html(&name)),
            };
            return self.send(connection, 200, kind, page.as_bytes(), usize::MAX);
        }
        let Some(mut content) = file.and_then(|file| fs::read(file).ok()) else {
            return self.send(connection, 404, "text/plain", b"no such file", usize::MAX);
        };
        match fault {
            Some(Fault::Cut(length)) => {
                return self.send(connection, 200, "application/octet-stream", &content, length);
            }
            Some(Fault::Corrupt) => content[0] ^= 1,
            _ => {}
        }
        self.send(connection, 200, "application/octet-stream", &content, usize::MAX)
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
    pub fn files(&self, project: &str) -> Vec<(String, String)> {
        if let Some(page) = self.state().pages.get(project) {
            return page.clone();
        }
        let files = self.state().files.clone();
        let of_project = files.iter().filter(|(name, _)| {
            DistributionFile::parse(name).is_some_and(|distribution| distribution.name.as_str() == project)
        });
        let page: Vec<(String, String)> = of_project.map(|(name, path)| (name.clone(), digest(path))).collect();
        self.state().pages.insert(project.to_owned(), page.clone());
        page
    }

    /// Sends an answer whose body ends after `cut` bytes.
    fn send(&self, connection: &mut impl Write, status: u16, kind: &str, body: &[u8], cut: usize) -> Option<()> {
        thread::sleep(self.link.latency);
        let head =
            format!("HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write_all(head.as_bytes()).ok()?;
        for part in body[..body.len().min(cut)].chunks(PART) {
            self.wait_for_link(part.len() as u64);
            connection.write_all(part).ok()?;
        }
        connection.flush().ok()?;
        if cut < body.len() { None } else { Some(()) }
    }

    /// Returns when the link has taken so many bytes more.
    fn wait_for_link(&self, bytes: u64) {
        let mut state = self.state();
        state.sent += bytes;
        let Some(rate) = self.link.rate else { return };
        let now = Instant::now();
        let free = state.busy_until.filter(|until| *until > now).unwrap_or(now);
        let done = free + Duration::from_secs_f64(bytes as f64 / rate as f64);
        state.busy_until = Some(done);
        drop(state);
        thread::sleep(done.saturating_duration_since(now));
    }
}

/// Bytes that are written at once.
const PART: usize = 64 * 1024;

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
