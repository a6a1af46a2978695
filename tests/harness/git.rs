//! Git servers on loopback: one for all, one over TLS for those who have a token, and one over SSH for those who have a key.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    docker::{Build, docker, docker_with},
    examples::copy,
    tls,
};

/// A running `git daemon`. It ends when the value is dropped.
#[derive(Debug)]
pub struct GitServer {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl GitServer {
    /// Starts a server without repositories.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        // Not by way of `git daemon`, which would leave the daemon behind when it is killed.
        let programs = Command::new("git").arg("--exec-path").output().expect("git").stdout;
        let programs = String::from_utf8(programs).expect("a path");
        let process = Command::new(Path::new(programs.trim()).join("git-daemon"))
            .args(["--reuseaddr", "--export-all", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", folder.path().display()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("git daemon");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(20));
        }
        Self { folder, port, process }
    }

    /// Adds a repository whose branch `main` has one commit with the files of `files`, and returns its address.
    pub fn add(&self, name: &str, files: &Path) -> String {
        make(&self.folder.path().join(name), files);
        format!("git://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A running server of Git over HTTPS. It ends with the test's process.
#[derive(Debug)]
pub struct HttpsServer {
    folder: TempDir,
    port: u16,
}

impl HttpsServer {
    /// Starts a server that answers those who have the token.
    pub fn start(token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (root, wanted) = (folder.path().to_owned(), tls::basic("x-access-token", token));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (root, wanted) = (root.clone(), wanted.clone());
                thread::spawn(move || answer(tls::accept(connection), &root, &wanted));
            }
        });
        Self { folder, port }
    }

    /// Adds a repository, as [`GitServer::add`] does.
    pub fn add(&self, name: &str, files: &Path) -> String {
        make(&self.folder.path().join(name), files);
        format!("https://127.0.0.1:{}/{name}", self.port)
    }
}

/// Answers one request by `git http-backend`, which is a CGI program (RFC 3875), and ends the connection.
fn answer(connection: impl Read + Write, root: &Path, wanted: &str) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut respond = |text: &[u8]| {
        let connection = reader.get_mut();
        connection.write_all(text).and_then(|()| connection.flush()).ok()
    };
    if !header("authorization").eq_ignore_ascii_case(wanted) {
        return respond(
            b"HTTP/1.1 401 Status\r\nwww-authenticate: Basic realm=\"git\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
    }
    let mut words = first.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut backend = Command::new("git")
        .arg("http-backend")
        .envs([("GIT_PROJECT_ROOT", root.to_str()?), ("GIT_HTTP_EXPORT_ALL", "1"), ("REQUEST_METHOD", method)])
        .envs([("PATH_INFO", path), ("QUERY_STRING", query), ("REMOTE_USER", "test"), ("REMOTE_ADDR", "127.0.0.1")])
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", header("content-length"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    backend.stdin.take()?.write_all(&body).ok()?;
    let output = backend.wait_with_output().ok()?.stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let length = output.len() - end - 4;
    respond(
        format!("HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n").as_bytes(),
    )?;
    respond(&output[end + 4..])
}

/// A running server of Git over SSH, in a container. It ends when the value is dropped.
#[derive(Debug)]
pub struct SshServer {
    container: String,
    /// Holds the client's private key.
    key: tempfile::NamedTempFile,
    port: u16,
}

impl SshServer {
    /// Starts a server with these repositories, each a name and a folder of files.
    pub fn start(repositories: &[(&str, &Path)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("srv")).expect("a folder");
        for (name, files) in repositories {
            make(&folder.path().join("srv").join(name), files);
        }
        let text = "FROM python:3.13-slim\n\
                    RUN apt-get update && apt-get install -y --no-install-recommends openssh-server git\n\
                    RUN ssh-keygen -A && mkdir -p /run/sshd /root/.ssh && ssh-keygen -q -t ed25519 -N '' -f /client && \\\n\
                    \x20   cp /client.pub /root/.ssh/authorized_keys && git config --global --add safe.directory '*'\n\
                    COPY srv /srv\n";
        fs::write(folder.path().join("Dockerfile"), text).expect("the Dockerfile");
        Build::new(folder.path()).tag("test-git-over-ssh").succeed();
        let port = free_port();
        let command = ["/usr/sbin/sshd", "-D", "-o", "ListenAddress=127.0.0.1", "-p", &port.to_string()];
        let run = ["run", "--detach", "--rm", "--network=host", "test-git-over-ssh"];
        let mut arguments = run.to_vec();
        arguments.extend(command);
        let container = docker_with(&arguments).trim().to_owned();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(50));
        }
        let mut key = tempfile::NamedTempFile::new().expect("a temporary file");
        key.write_all(docker(["exec", &container, "cat", "/client"]).as_bytes()).expect("the key");
        Self { container, key, port }
    }

    /// The address of a repository.
    pub fn url(&self, name: &str) -> String {
        format!("ssh://root@127.0.0.1:{}/srv/{name}", self.port)
    }

    /// The line of `known_hosts` for the server.
    pub fn known_host(&self) -> String {
        let key = docker(["exec", &self.container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
        let key: Vec<&str> = key.split_whitespace().take(2).collect();
        format!("[127.0.0.1]:{} {}", self.port, key.join(" "))
    }

    /// The file with the client's private key.
    pub fn key(&self) -> &Path {
        self.key.path()
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        docker(["kill", &self.container]);
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address").port()
}

/// Makes a repository whose branch `main` and tag `v1.0` are one commit with these files. The same files give the same
/// commit.
fn make(repository: &Path, files: &Path) {
    copy(files, repository);
    git(repository, &["init", "--quiet", "--initial-branch=main"]);
    git(repository, &["add", "--all"]);
    git(repository, &["commit", "--quiet", "-m", "all"]);
    git(repository, &["tag", "v1.0"]);
    git(repository, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .current_dir(folder)
        .envs([("GIT_AUTHOR_DATE", "1980-01-01T00:00:00Z"), ("GIT_COMMITTER_DATE", "1980-01-01T00:00:00Z")])
        .args(["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .status()
        .expect("git");
    assert!(status.success(), "git {arguments:?}");
}
