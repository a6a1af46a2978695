//! The command `install` against a local index: downloads that go wrong, caches, and what ends up in the result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use common::archive::{Entry, sha256, wheel, wheel_entries, zip};
use common::server::{Reply, Server, json_page};
use common::setup::{SITE, Setup, index, locked, request};
use common::tree;
use install_request::{EPOCH, Wheel};
use poetry_buildkit_installer::install::InstallError;

const FILE: &str = "demo-1.0-py3-none-any.whl";

fn demo() -> Vec<u8> {
    wheel("demo", "1.0", &[("demo/__init__.py", "print('demo')\n")])
}

fn failure(result: Result<impl std::fmt::Debug, InstallError>) -> String {
    result.expect_err("the installation did not fail").to_string()
}

/// A server whose page lists the demo wheel, and which answers for the file itself as `file` says.
fn demo_server(file: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| match request.path.as_str() {
        "/simple/demo/" => json_page(&[(FILE, "/files/demo.whl", &sha256(&demo()))]),
        _ => file(request.before),
    })
}

fn content(body: Vec<u8>) -> Reply {
    Reply::ok("application/octet-stream", body)
}

fn install_from(server: &Server, setup: &Setup) -> Result<String, InstallError> {
    let wheel = locked(&server.url, FILE, &demo());
    setup.install(&request(vec![wheel])).map(|summary| summary.to_string())
}

#[test]
fn what_was_asked_for_by_name_is_marked_if_wanted() {
    let server = index(&[(FILE, demo())]);
    let setup = Setup::new(&["demo"]);
    let wheel = Wheel { requested: true, ..locked(&server.url, FILE, &demo()) };
    setup.install(&request(vec![wheel])).unwrap();
    assert_eq!(fs::read_to_string(setup.site("demo-1.0.dist-info/REQUESTED")).unwrap(), "");
    let record = fs::read_to_string(setup.site("demo-1.0.dist-info/RECORD")).unwrap();
    assert!(record.lines().any(|line| line.starts_with("demo-1.0.dist-info/REQUESTED,")), "{record}");
}

#[test]
fn a_wheel_is_fetched_once_and_then_taken_from_the_cache() {
    let server = index(&[(FILE, demo())]);
    let setup = Setup::new(&["demo"]);
    assert_eq!(install_from(&server, &setup).unwrap(), "demo 1.0  0.0 MB  fetched\n");
    let again = Setup::new(&[]);
    let again = Setup {
        roots: poetry_buildkit_installer::Roots { cache: setup.roots.cache.clone(), ..again.roots.clone() },
        ..again
    };
    assert_eq!(install_from(&server, &again).unwrap(), "demo 1.0  0.0 MB  cached\n");
    assert_eq!(server.paths().len(), 2);
    assert_eq!(tree::read(&setup.roots.out), tree::read(&again.roots.out));
}

#[test]
fn the_result_has_fixed_times_modes_and_owners() {
    let server = index(&[(FILE, demo())]);
    let setup = Setup::new(&["demo"]);
    install_from(&server, &setup).unwrap();
    let nodes = tree::read(&setup.roots.out);
    let listed: Vec<String> = nodes.iter().map(|(path, node)| format!("{:o} {path}", node.mode)).collect();
    insta::assert_snapshot!(listed[1..].join("\n"), @r"
    40755 app
    40755 app/.venv
    40755 app/.venv/lib
    40755 app/.venv/lib/python3.11
    40755 app/.venv/lib/python3.11/site-packages
    40755 app/.venv/lib/python3.11/site-packages/demo
    40755 app/.venv/lib/python3.11/site-packages/demo-1.0.dist-info
    100644 app/.venv/lib/python3.11/site-packages/demo-1.0.dist-info/INSTALLER
    100644 app/.venv/lib/python3.11/site-packages/demo-1.0.dist-info/METADATA
    100644 app/.venv/lib/python3.11/site-packages/demo-1.0.dist-info/RECORD
    100644 app/.venv/lib/python3.11/site-packages/demo-1.0.dist-info/WHEEL
    100644 app/.venv/lib/python3.11/site-packages/demo/__init__.py
    ");
    for (path, node) in &nodes {
        assert_eq!(node.mtime, EPOCH as i64, "{path}");
        assert_eq!(node.owner, nodes[""].owner, "{path}");
    }
}

#[test]
fn html_pages_with_relative_links_are_understood() {
    let server = Server::start(|request| match request.path.as_str() {
        "/simple/demo/" => Reply::Content(302, vec![("Location", "/other/place/".into())], vec![]),
        "/other/place/" => {
            Reply::ok("text/html; charset=utf-8", format!("<a href='../{FILE}#sha256={}'>{FILE}</a>", sha256(&demo())))
        }
        "/other/demo-1.0-py3-none-any.whl" => content(demo()),
        _ => Reply::status(404),
    });
    install_from(&server, &Setup::new(&["demo"])).unwrap();
}

#[test]
fn json_is_asked_for_and_files_are_not_to_be_compressed() {
    let server = Server::start(|request| {
        let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
        if request.path.starts_with("/simple") {
            assert!(header("accept").starts_with("application/vnd.pypi.simple.v1+json,"));
            assert!(header("user-agent").starts_with("poetry-buildkit/"));
            json_page(&[(FILE, "/f", &sha256(&demo()))])
        } else {
            assert_eq!(header("accept-encoding"), "identity");
            content(demo())
        }
    });
    install_from(&server, &Setup::new(&["demo"])).unwrap();
}

#[test]
fn passing_errors_are_tried_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = demo_server(move |before| match before {
            0 => Reply::Content(status, vec![("Retry-After", "0".into())], vec![]),
            1 => Reply::Close(vec![]),
            _ => content(demo()),
        });
        install_from(&server, &Setup::new(&["demo"])).unwrap();
    }
}

#[test]
fn errors_that_do_not_pass_are_reported() {
    let server = demo_server(|_| Reply::status(500));
    let text = failure(install_from(&server, &Setup::new(&["demo"])));
    assert!(text.contains("HTTP status 500") && text.contains("build again later"), "{text}");
    assert_eq!(server.paths().len(), 4);
    let server = demo_server(|_| Reply::status(410));
    let text = failure(install_from(&server, &Setup::new(&["demo"])));
    assert!(text.contains("HTTP status 410"), "{text}");
    assert_eq!(server.paths().len(), 2);
}

#[test]
fn the_pause_that_a_server_asks_for_is_kept() {
    let server = demo_server(|before| match before {
        0 => Reply::Content(429, vec![("Retry-After", "3600".into())], vec![]),
        _ => content(demo()),
    });
    let start = std::time::Instant::now();
    install_from(&server, &Setup::new(&["demo"])).unwrap();
    let waited = start.elapsed().as_millis();
    assert!((200..5000).contains(&waited), "{waited} ms");
}

#[test]
fn bodies_that_are_cut_short_are_fetched_again() {
    let head = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    let server = demo_server(move |before| {
        let body = demo();
        match before {
            0 => Reply::Close([head(body.len()), body[..50].to_vec()].concat()),
            1 => Reply::Stall([head(body.len()), body[..50].to_vec()].concat()),
            _ => content(body),
        }
    });
    install_from(&server, &Setup::new(&["demo"])).unwrap();
    let server = demo_server(move |_| Reply::Close([head(1000), vec![0; 50]].concat()));
    let text = failure(install_from(&server, &Setup::new(&["demo"])));
    assert!(text.contains("the connection fails"), "{text}");
}

#[test]
fn a_body_without_length_that_is_too_short_is_noticed_by_its_listed_size() {
    let server = Server::start(|request| match request.path.as_str() {
        "/simple/demo/" => {
            let file = serde_json::json!({"filename": FILE, "url": "/f", "hashes": {}, "size": demo().len()});
            let page = serde_json::json!({"meta": {"api-version": "1.1"}, "files": [file]});
            Reply::ok("application/vnd.pypi.simple.v1+json", page.to_string())
        }
        _ if request.before == 0 => Reply::Close([b"HTTP/1.1 200 OK\r\n\r\n", &demo()[..50]].concat()),
        _ => content(demo()),
    });
    install_from(&server, &Setup::new(&["demo"])).unwrap();
}

#[test]
fn servers_that_fall_silent_are_given_up() {
    let server = Server::start(|_| Reply::Stall(vec![]));
    let text = failure(install_from(&server, &Setup::new(&["demo"])));
    assert!(text.contains("does not answer in time"), "{text}");
    assert_eq!(server.paths().len(), 3);
}

#[test]
fn a_file_with_another_digest_is_refused_and_not_kept() {
    let other = wheel("demo", "1.0", &[("demo/__init__.py", "hostile")]);
    let (expected, found) = (sha256(&demo()), sha256(&other));
    let server = demo_server(move |_| content(other.clone()));
    let setup = Setup::new(&["demo"]);
    let text = failure(install_from(&server, &setup));
    let text = text.replace(&server.url, "http://host").replace(&expected, "LOCKED").replace(&found, "FOUND");
    insta::assert_snapshot!(text, @r"
    error: demo 1.0 cannot be installed: the file does not have the digest of poetry.lock
      file      demo-1.0-py3-none-any.whl
      url       http://host/files/demo.whl
      expected  sha256 LOCKED
      found     sha256 FOUND (0.0 MB)
      cause     the file was replaced where it comes from, or a proxy or mirror sends something else
      remedy    do not trust the file; find out why it changed, and only then run `poetry lock`
    ");
    assert_eq!(fs::read_dir(setup.roots.cache.join("demo")).unwrap().count(), 0);
    assert!(!setup.site("demo/__init__.py").exists());
}

#[test]
fn a_file_that_the_index_lists_with_another_digest_is_not_even_fetched() {
    let server = Server::start(|_| json_page(&[(FILE, "/f", &"0".repeat(64))]));
    let text = failure(install_from(&server, &Setup::new(&["demo"])));
    assert!(text.contains("the index lists another digest"), "{text}");
    assert_eq!(server.paths().len(), 1);
}

#[test]
fn a_wrong_length_does_not_spoil_the_next_download() {
    let server = demo_server(|before| match before {
        0 => Reply::Close([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &demo()[..]].concat()),
        _ => content(demo()),
    });
    let setup = Setup::new(&["demo"]);
    let text = failure(install_from(&server, &setup));
    assert!(text.contains("does not have the digest"), "{text}");
    install_from(&server, &setup).unwrap();
}

#[test]
fn a_yanked_file_is_installed_with_a_warning() {
    let server = Server::start(|request| match request.path.as_str() {
        "/simple/demo/" => {
            Reply::ok("text/html", format!("<a href='/f/{FILE}' data-yanked='bad &#27;[31m build'>x</a>"))
        }
        _ => content(demo()),
    });
    let text = install_from(&server, &Setup::new(&["demo"])).unwrap();
    assert!(
        text.ends_with("warning: demo-1.0-py3-none-any.whl of demo was yanked: bad \u{fffd}[31m build\n"),
        "{text:?}"
    );
}

#[test]
fn what_an_index_does_not_have_is_named() {
    let setup = Setup::new(&["demo"]);
    let empty = index(&[]);
    let text = failure(install_from(&empty, &setup));
    assert!(text.contains("no page for the package") && text.contains("/simple/demo/"), "{text}");
    let other = index(&[("demo-2.0-py3-none-any.whl", demo())]);
    let text = failure(install_from(&other, &setup));
    assert!(text.contains("does not list the file") && text.contains("1 other files"), "{text}");
    let denied = Server::start(|_| Reply::status(401));
    let text = failure(install_from(&denied, &setup));
    assert!(text.contains("refuses access") && text.contains("credentials"), "{text}");
    let strange = Server::start(|_| Reply::ok("image/png", "x"));
    let text = failure(install_from(&strange, &setup));
    assert!(text.contains("no package page"), "{text}");
}

#[test]
fn credentials_never_show_in_messages() {
    let mut wheel = locked("http://user:hush@127.0.0.1:1", FILE, &demo());
    wheel.version = "1.0".into();
    let text = failure(Setup::new(&["demo"]).install(&request(vec![wheel])));
    assert!(text.contains("127.0.0.1:1") && !text.contains("hush"), "{text}");
}

#[test]
fn connections_are_used_again() {
    let server = index(&[(FILE, demo())]);
    install_from(&server, &Setup::new(&["demo"])).unwrap();
    assert_eq!((server.paths().len(), server.connections()), (2, 1));
}

#[test]
fn a_damaged_cached_file_is_replaced() {
    let server = index(&[(FILE, demo())]);
    let setup = Setup::new(&["demo"]);
    let cached = setup.roots.cache.join("demo").join(format!("{}.whl", sha256(&demo())));
    fs::write(&cached, &demo()[..100]).unwrap();
    install_from(&server, &setup).unwrap();
    assert_eq!(fs::read(&cached).unwrap(), demo());
}

#[test]
fn without_a_cache_the_wheel_is_installed_all_the_same() {
    let server = index(&[(FILE, demo())]);
    let setup = Setup::new(&[]);
    assert_eq!(install_from(&server, &setup).unwrap(), "demo 1.0  0.0 MB  fetched\n");
    let cached = Setup::new(&["demo"]);
    install_from(&server, &cached).unwrap();
    assert_eq!(tree::read(&setup.roots.out), tree::read(&cached.roots.out));
}

#[test]
fn a_cache_that_cannot_be_written_is_noted_and_done_without() {
    let server = index(&[(FILE, demo())]);
    let setup = Setup::new(&[]);
    // Even root cannot create files here.
    std::os::unix::fs::symlink("/proc/self", setup.roots.cache.join("demo")).unwrap();
    let text = install_from(&server, &setup).unwrap();
    assert!(text.starts_with("demo 1.0  0.0 MB  fetched\nnote: the cache of demo cannot be written"), "{text}");
    assert!(setup.site("demo/__init__.py").exists());
}

#[test]
fn concurrent_installations_share_a_cache() {
    let big = wheel("demo", "1.0", &[("demo/data", &"x".repeat(3_000_000))]);
    let server = index(&[(FILE, big.clone())]);
    let setup = Setup::new(&["demo"]);
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut own = Setup::new(&[]);
                own.roots.cache = setup.roots.cache.clone();
                barrier.wait();
                let text = own.install(&request(vec![locked(&server.url, FILE, &big)])).unwrap().to_string();
                assert!(!text.contains("note:"), "{text}");
                assert!(own.site("demo/data").exists());
            });
        }
    });
    let cached: Vec<_> = fs::read_dir(setup.roots.cache.join("demo")).unwrap().collect();
    assert_eq!(cached.len(), 1);
    assert_eq!(fs::read(cached[0].as_ref().unwrap().path()).unwrap(), big);
}

fn two(first: Vec<u8>, second: Vec<u8>, order: [usize; 2]) -> (Setup, Result<String, InstallError>) {
    let files = ["one-1.0-py3-none-any.whl", "two-1.0-py3-none-any.whl"];
    let server = index(&[(files[0], first.clone()), (files[1], second.clone())]);
    let wheels = [locked(&server.url, files[0], &first), locked(&server.url, files[1], &second)];
    let setup = Setup::new(&["one", "two"]);
    let wheels = order.map(|number| wheels[number].clone()).to_vec();
    let result = setup.install(&request(wheels)).map(|summary| summary.to_string());
    (setup, result)
}

#[test]
fn of_two_wheels_with_the_same_file_the_later_wins() {
    let one = wheel("one", "1.0", &[("shared/__init__.py", "one"), ("shared/same.py", "")]);
    let two_ = wheel("two", "1.0", &[("shared/__init__.py", "two"), ("shared/same.py", "")]);
    for _ in 0..5 {
        let (setup, result) = two(one.clone(), two_.clone(), [0, 1]);
        assert_eq!(fs::read_to_string(setup.site("shared/__init__.py")).unwrap(), "two");
        let text = result.unwrap();
        let warning = "in one 1.0, and with other content in two 1.0, which is installed later and wins";
        assert_eq!(text.matches("warning").count(), 1, "{text}");
        assert!(text.contains(warning), "{text}");
        let (setup, result) = two(one.clone(), two_.clone(), [1, 0]);
        assert_eq!(fs::read_to_string(setup.site("shared/__init__.py")).unwrap(), "one");
        assert!(result.unwrap().contains("in two 1.0, and with other content in one 1.0"));
        for node in tree::read(&setup.roots.out).values() {
            assert_eq!(node.mtime, EPOCH as i64);
        }
    }
}

#[test]
fn a_file_of_one_wheel_cannot_be_a_folder_of_another() {
    let (_, result) =
        two(wheel("one", "1.0", &[("shared", "one")]), wheel("two", "1.0", &[("shared/a.py", "two")]), [0, 1]);
    let text = failure(result);
    assert!(text.contains("is a file in one of two packages"), "{text}");
}

#[test]
fn every_wheel_that_fails_is_reported() {
    let server = index(&[]);
    let wheels =
        ["a", "b", "c", "d", "e", "f"].map(|name| locked(&server.url, &format!("{name}-1.0-py3-none-any.whl"), b""));
    let text = failure(Setup::new(&[]).install(&request(wheels.to_vec())));
    let order: Vec<&str> = text.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(order.len(), 4);
    assert!(order[0].contains(" a 1.0 ") && order[3].contains(" d 1.0 "), "{text}");
    assert!(text.ends_with("and 2 more wheels failed"), "{text}");
}

#[test]
fn files_are_spread_by_the_scheme() {
    let mut entries = wheel_entries("demo", "1.0", &[("demo/__init__.py", "")]);
    let executable = |name: &str, text: &str| Entry::new(name, text).with(|entry| entry.mode = 0o100_700);
    entries.extend([
        executable("demo/tool", "x"),
        Entry::new("demo/typeless", "x").with(|entry| entry.mode = 0o755),
        Entry::new("demo/__pycache__/__init__.cpython-311.pyc", "x"),
        executable("demo-1.0.data/scripts/run", "#!python -E\nprint()\n"),
        Entry::new("demo-1.0.data/scripts/from-windows", "#!pythonw\n").with(|entry| entry.mode = 0),
        Entry::new("demo-1.0.data/scripts/plain", "#!/bin/sh\n"),
        Entry::new("demo-1.0.data/data/share/man/demo.1", "x"),
        Entry::new("demo-1.0.data/headers/demo.h", "x"),
        Entry::new("demo-1.0.data/platlib/native.so", "x"),
        Entry::new("demo-1.0.dist-info/INSTALLER", "someone"),
        Entry::new("demo-1.0.dist-info/REQUESTED", ""),
        Entry::new("demo-1.0.dist-info/direct_url.json", "{}"),
        Entry::new("demo-1.0.dist-info/entry_points.txt", "[console_scripts]\ndemo = demo:main\n"),
        Entry::new("other-1.0.data/file", "x"),
    ]);
    let bytes = zip(&entries);
    let server = index(&[(FILE, bytes.clone())]);
    let setup = Setup::new(&["demo"]);
    setup.install(&request(vec![locked(&server.url, FILE, &bytes)])).unwrap();
    let nodes = tree::read(&setup.roots.out);
    let files: Vec<String> = nodes
        .iter()
        .filter(|(_, node)| node.mode & 0o100_000 != 0)
        .map(|(path, node)| format!("{:o} {}", node.mode & 0o777, path.replace("app/.venv/", "")))
        .collect();
    insta::assert_snapshot!(files.join("\n"), @r"
    755 bin/demo
    755 bin/from-windows
    644 bin/plain
    755 bin/run
    644 include/site/python3.11/demo/demo.h
    644 lib/python3.11/site-packages/demo-1.0.dist-info/INSTALLER
    644 lib/python3.11/site-packages/demo-1.0.dist-info/METADATA
    644 lib/python3.11/site-packages/demo-1.0.dist-info/RECORD
    644 lib/python3.11/site-packages/demo-1.0.dist-info/WHEEL
    644 lib/python3.11/site-packages/demo-1.0.dist-info/entry_points.txt
    644 lib/python3.11/site-packages/demo/__init__.py
    755 lib/python3.11/site-packages/demo/tool
    644 lib/python3.11/site-packages/demo/typeless
    644 lib/python3.11/site-packages/native.so
    644 lib/python3.11/site-packages/other-1.0.data/file
    644 share/man/demo.1
    ");
    let read = |path: &str| String::from_utf8(nodes[&format!("app/.venv/{path}")].content.clone()).unwrap();
    assert_eq!(read("bin/run"), "#!/app/.venv/bin/python\nprint()\n");
    assert_eq!(read("bin/from-windows"), "#!/app/.venv/bin/python\n");
    let record = fs::read_to_string(setup.site("demo-1.0.dist-info/RECORD")).unwrap();
    let paths: Vec<&str> = record.lines().map(|line| line.split(',').next().unwrap()).collect();
    insta::assert_snapshot!(paths.join("\n"), @r"
    ../../../bin/demo
    ../../../bin/from-windows
    ../../../bin/plain
    ../../../bin/run
    ../../../include/site/python3.11/demo/demo.h
    ../../../share/man/demo.1
    demo-1.0.dist-info/INSTALLER
    demo-1.0.dist-info/METADATA
    demo-1.0.dist-info/RECORD
    demo-1.0.dist-info/WHEEL
    demo-1.0.dist-info/entry_points.txt
    demo/__init__.py
    demo/tool
    demo/typeless
    native.so
    other-1.0.data/file
    ");
    let installer = fs::read_to_string(setup.site("demo-1.0.dist-info/INSTALLER")).unwrap();
    assert_eq!(installer, "poetry-buildkit\n");
}

#[test]
fn platform_wheels_go_to_platlib() {
    let mut entries = wheel_entries("demo", "1.0", &[("demo/__init__.py", "")]);
    entries.retain(|entry| !entry.name.ends_with(b"WHEEL"));
    entries.push(Entry::new("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"));
    let bytes = zip(&entries);
    let server = index(&[(FILE, bytes.clone())]);
    let setup = Setup::new(&["demo"]);
    let mut request = request(vec![locked(&server.url, FILE, &bytes)]);
    request.scheme.platlib = "/usr/lib64/site".into();
    setup.install(&request).unwrap();
    assert!(setup.out("/usr/lib64/site/demo/__init__.py").exists());
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let wheel = Wheel::of_index("../x", "1", "x.whl", &"0".repeat(64), "http://127.0.0.1:1");
    let result = Setup::new(&[]).install(&request(vec![wheel]));
    assert!(matches!(result, Err(InstallError::Request { .. })), "{result:?}");
}

#[test]
fn downloads_are_bounded_and_run_at_once() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now_, most_) = (now.clone(), most.clone());
    let bytes: BTreeMap<String, Vec<u8>> =
        (0..24).map(|number| format!("p{number}")).map(|name| (name.clone(), wheel(&name, "1.0", &[]))).collect();
    let served = bytes.clone();
    let server = Server::start(move |request| {
        let name = request.path.trim_end_matches('/').rsplit('/').next().unwrap();
        if let Some(bytes) = request.path.strip_prefix("/files/").and_then(|name| served.get(name)) {
            most_.fetch_max(now_.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(std::time::Duration::from_millis(30));
            now_.fetch_sub(1, Ordering::SeqCst);
            return content(bytes.clone());
        }
        let file = format!("{name}-1.0-py3-none-any.whl");
        json_page(&[(&file, &format!("/files/{name}"), &sha256(&served[name]))])
    });
    let wheels =
        bytes.iter().map(|(name, bytes)| locked(&server.url, &format!("{name}-1.0-py3-none-any.whl"), bytes)).collect();
    Setup::new(&[]).install(&request(wheels)).unwrap();
    let most = most.load(Ordering::SeqCst);
    assert!((4..=16).contains(&most), "{most} downloads at once");
}

#[test]
fn scripts_are_executable_and_start_with_the_interpreter() {
    let mut entries = wheel_entries("demo", "1.0", &[("demo/__init__.py", "")]);
    entries.push(Entry::new("demo-1.0.dist-info/entry_points.txt", "[gui_scripts]\nwin = demo:main [x]\n"));
    let bytes = zip(&entries);
    let server = index(&[(FILE, bytes.clone())]);
    let setup = Setup::new(&["demo"]);
    setup.install(&request(vec![locked(&server.url, FILE, &bytes)])).unwrap();
    let script = setup.out("/app/.venv/bin/win");
    assert_eq!(fs::metadata(&script).unwrap().permissions().mode(), 0o100_755);
    assert!(fs::read_to_string(&script).unwrap().starts_with("#!/app/.venv/bin/python\n"));
    assert!(setup.out(SITE).is_dir());
}
