//! A Git server on loopback.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::examples::copy;

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
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
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
        let repository = self.folder.path().join(name);
        copy(files, &repository);
        git(&repository, &["init", "--quiet", "--initial-branch=main"]);
        git(&repository, &["add", "--all"]);
        git(
            &repository,
            &["-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "all"],
        );
        format!("git://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git").current_dir(folder).args(arguments).status().expect("git");
    assert!(status.success(), "git {arguments:?}");
}
