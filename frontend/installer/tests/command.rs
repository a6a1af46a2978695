//! The program itself: exit codes, messages, and what a killed run leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::archive::{sha256, wheel};
use common::server::{Reply, Server, json_page};
use common::setup::{Setup, index, locked, request};

const FILE: &str = "demo-1.0-py3-none-any.whl";

fn installer(setup: &Setup) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_installer"));
    command.arg("--root").arg(setup.folder.path()).env_clear();
    command
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn success_prints_a_line_for_each_wheel() {
    let bytes = wheel("demo", "1.0", &[]);
    let server = index(&[(FILE, bytes.clone())]);
    let setup = Setup::new(&["demo"]);
    let json = serde_json::to_string(&request(vec![locked(&server.url, FILE, &bytes)])).unwrap();
    let output = installer(&setup).args(["install", &json]).output().unwrap();
    assert_eq!(texts(&output), ("demo 1.0  0.0 MB  fetched\n".into(), String::new()));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn failures_exit_with_one_and_explain_themselves() {
    let setup = Setup::new(&["demo"]);
    let server = index(&[]);
    let json = serde_json::to_string(&request(vec![locked(&server.url, FILE, b"")])).unwrap();
    let output = installer(&setup).args(["install", &json]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (stdout, stderr) = texts(&output);
    assert_eq!(stdout, "");
    insta::assert_snapshot!(stderr.replace(&server.url, "http://host"), @r"
    error: demo 1.0 cannot be installed: the index has no page for the package
      file    demo-1.0-py3-none-any.whl
      page    http://host/simple/demo/
      remedy  see whether the source in pyproject.toml is the one that poetry.lock was made with
    ");
    let output = installer(&setup)
        .args(["probe", r#"{"python": "python4", "venv": "/app/.venv"}"#])
        .env("PATH", "/nowhere:/bin")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(texts(&output).1, @r"
    error: the interpreter cannot be used: there is no Python in the base image
      expected  python4
      PATH      /nowhere:/bin
      remedy    set `base` in [tool.poetry-buildkit] to an image with Python 3, e.g. python:3.13-slim
    ");
}

#[test]
fn wrong_usage_exits_with_two() {
    let setup = Setup::new(&[]);
    let senseless = serde_json::to_string(&request(vec![locked("", "../x-1.0.whl", b"")])).unwrap();
    let cases: [&[&str]; 7] = [
        &[],
        &["install"],
        &["install", "{}"],
        &["install", "{}", "{}"],
        &["destroy", "{}"],
        &["--verbose", "install", "{}"],
        &["install", &senseless],
    ];
    for arguments in cases {
        let output = installer(&setup).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(texts(&output).1.contains("usage:"), "{output:?}");
    }
}

#[test]
fn a_bad_bundle_of_certificates_is_reported() {
    let setup = Setup::new(&[]);
    fs::write(setup.roots.secrets.join("ca-bundle"), "no certificate").unwrap();
    let json = serde_json::to_string(&request(vec![])).unwrap();
    let output = installer(&setup).args(["install", &json]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(texts(&output).1.contains("ca-bundle"), "{output:?}");
}

#[test]
fn a_proxy_is_used_unless_the_host_is_excepted() {
    let bytes = wheel("demo", "1.0", &[]);
    let server = index(&[(FILE, bytes.clone())]);
    let json = serde_json::to_string(&request(vec![locked(&server.url, FILE, &bytes)])).unwrap();
    let run = |variables: &[(&str, &str)]| {
        let setup = Setup::new(&["demo"]);
        let mut command = installer(&setup);
        command.args(["install", &json]).envs(variables.iter().copied());
        let output = command.output().unwrap();
        let (stdout, stderr) = texts(&output);
        assert!(!stdout.contains("hush") && !stderr.contains("hush"), "{stderr}");
        output.status.code()
    };
    let dead = "http://user:hush@127.0.0.1:1";
    assert_eq!(run(&[("HTTPS_PROXY", "user:hush@[::")]), Some(1));
    assert_eq!(run(&[("HTTP_PROXY", dead), ("NO_PROXY", "127.0.0.1")]), Some(0));
    assert_eq!(run(&[("HTTPS_PROXY", dead)]), Some(0));
    assert_eq!(run(&[("http_proxy", "socks5://127.0.0.1:1")]), Some(1));
}

/// A proxy that passes connections on to `target`. Returns its address, and what it was asked for.
fn proxy(target: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let target = target.trim_start_matches("http://").to_owned();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
            let head = lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty());
            log.lock().unwrap().extend(head);
            let server = TcpStream::connect(&target).unwrap();
            (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut up, mut down) = (client.try_clone().unwrap(), client);
            let (mut to, mut from) = (server.try_clone().unwrap(), server);
            thread::spawn(move || std::io::copy(&mut up, &mut to));
            thread::spawn(move || std::io::copy(&mut from, &mut down));
        }
    });
    (address, asked)
}

#[test]
fn a_proxy_passes_the_downloads_on() {
    let bytes = wheel("demo", "1.0", &[]);
    let server = index(&[(FILE, bytes.clone())]);
    let (address, asked) = proxy(&server.url);
    let json = serde_json::to_string(&request(vec![locked("http://far.example.org", FILE, &bytes)])).unwrap();
    let output = installer(&Setup::new(&["demo"]))
        .args(["install", &json])
        .env("ALL_PROXY", format!("http://user:hush@{address}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let asked = asked.lock().unwrap().join("\n").to_ascii_lowercase();
    assert!(asked.starts_with("connect far.example.org:80 "), "{asked}");
    assert!(asked.contains("proxy-authorization: basic dxnlcjpodxno"), "{asked}");
}

#[test]
fn a_killed_run_leaves_no_file_in_the_cache_that_is_not_what_its_name_says() {
    let bytes = wheel("demo", "1.0", &[("demo/data", &"0123456789".repeat(400_000))]);
    let digest = sha256(&bytes);
    let served = bytes.clone();
    let server = Server::start(move |request| {
        if request.path.starts_with("/simple") {
            json_page(&[(FILE, "/f", &digest)])
        } else {
            Reply::Slow(served.clone())
        }
    });
    let json = serde_json::to_string(&request(vec![locked(&server.url, FILE, &bytes)])).unwrap();
    let setup = Setup::new(&["demo"]);
    let folder = setup.roots.cache.join("demo");
    let (mut leftovers, mut complete) = (0, 0);
    for number in 0..60 {
        let own = Setup::new(&[]);
        fs::remove_dir(&own.roots.cache).unwrap();
        std::os::unix::fs::symlink(&setup.roots.cache, &own.roots.cache).unwrap();
        let mut child = installer(&own).args(["install", &json]).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(number * 5000));
        child.kill().unwrap();
        child.wait().unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with(".part-") {
                leftovers += 1;
                continue;
            }
            assert_eq!(name, format!("{}.whl", sha256(&fs::read(&path).unwrap())));
            complete += 1;
            fs::remove_file(&path).unwrap();
        }
    }
    assert!(leftovers > 0, "no kill hit a download");
    assert!(complete > 0, "no run got as far as a complete file");
    let output = installer(&setup).args(["install", &json]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "leftovers stay");
}
