//! A web server that answers as a test wants, also wrongly.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request.
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    /// How many requests for this path came before.
    pub before: usize,
}

/// An answer.
pub enum Reply {
    /// A proper one.
    Content(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, and then the end of the connection.
    Close(Vec<u8>),
    /// These bytes, and then silence.
    Stall(Vec<u8>),
    /// A proper one, of which a piece comes each millisecond.
    Slow(Vec<u8>),
    /// The beginning of a large one, a byte at a time.
    Drip,
}

impl Reply {
    pub fn ok(kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Content(200, vec![("Content-Type", kind.to_owned())], body.into())
    }

    pub fn status(status: u16) -> Self {
        Self::Content(status, Vec::new(), Vec::new())
    }
}

pub struct Server {
    pub url: String,
    paths: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server on a free port of this machine; it ends with the test.
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let paths = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let handler = Arc::new(handler);
        let (log, count) = (paths.clone(), connections.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let (handler, log) = (handler.clone(), log.clone());
                thread::spawn(move || serve(&stream.unwrap(), &*handler, &log));
            }
        });
        Self { url, paths, connections }
    }

    /// The paths that were asked for.
    pub fn paths(&self) -> Vec<String> {
        self.paths.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(stream: &TcpStream, handler: &dyn Fn(&Request) -> Reply, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
                None => break,
            };
        }
        let before = {
            let mut log = log.lock().unwrap();
            let before = log.iter().filter(|known| **known == path).count();
            log.push(path.clone());
            before
        };
        let request = Request { path, headers, before };
        match handler(&request) {
            Reply::Content(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                let written = writer.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| writer.write_all(&body));
                if written.is_err() {
                    return;
                }
            }
            Reply::Close(bytes) => {
                let _ = writer.write_all(&bytes);
                return;
            }
            Reply::Slow(body) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = writer.write_all(head.as_bytes());
                for piece in body.chunks(body.len() / 30 + 1) {
                    thread::sleep(Duration::from_millis(1));
                    if writer.write_all(piece).is_err() {
                        return;
                    }
                }
            }
            Reply::Drip => {
                let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
                while writer.write_all(b"x").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
                return;
            }
            Reply::Stall(bytes) => {
                let _ = writer.write_all(&bytes);
                thread::sleep(Duration::from_secs(60));
                return;
            }
        }
    }
}

/// A page in JSON that lists `files` (name, address, digest).
pub fn json_page(files: &[(&str, &str, &str)]) -> Reply {
    let files: Vec<_> = files
        .iter()
        .map(|(name, url, sha256)| {
            serde_json::json!({"filename": name, "url": url, "hashes": {"sha256": sha256}, "yanked": false})
        })
        .collect();
    let page = serde_json::json!({"meta": {"api-version": "1.1"}, "files": files});
    Reply::ok("application/vnd.pypi.simple.v1+json", page.to_string())
}
