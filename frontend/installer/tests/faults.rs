//! What goes wrong between an index and the cache. Whatever happens, the cache holds no file that is not what its name says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::archive::{sha256, wheel};
use common::server::{Reply, Server, json_page};
use common::setup::{Setup, index, locked, request};
use install_request::{Install, Origin};

const FILE: &str = "demo-1.0-py3-none-any.whl";

fn demo() -> Vec<u8> {
    wheel("demo", "1.0", &[("demo/__init__.py", "pass\n")])
}

/// A wheel of about this many bytes that cannot be compressed much.
fn large(size: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut text = String::new();
    while text.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text += &format!("{state:016x}");
    }
    wheel("demo", "1.0", &[("demo/__init__.py", &text)])
}

/// Every file of the cache is what its name says, and nothing unfinished is left that a later run would take for a file.
fn assert_sound(cache: &Path) -> usize {
    let mut count = 0;
    for folder in fs::read_dir(cache).unwrap() {
        for entry in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if let Some(digest) = name.strip_suffix(".whl") {
                assert_eq!(sha256(&fs::read(&path).unwrap()), digest, "{}", path.display());
                count += 1;
            } else {
                assert!(name.starts_with(".part-"), "{}", path.display());
            }
        }
    }
    count
}

/// A server with one wheel, whose answers to requests for the file are those of `file`.
fn serving(bytes: &[u8], file: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    let digest = sha256(bytes);
    Server::start(move |request| match request.path.as_str() {
        "/simple/demo/" => json_page(&[(FILE, "/files/demo.whl", &digest)]),
        _ => file(request.before),
    })
}

fn of(server: &Server, bytes: &[u8]) -> Install {
    request(vec![locked(&server.url, FILE, bytes)])
}

#[test]
fn a_server_that_sends_a_byte_now_and_then_is_given_up() {
    let server = serving(&demo(), |_| Reply::Drip);
    let setup = Setup::new(&["demo"]);
    let start = Instant::now();
    let text = setup.install(&of(&server, &demo())).unwrap_err().to_string();
    assert!(text.contains("the server sends too slowly") && text.contains("bytes in"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(assert_sound(&setup.roots.cache), 0);

    let server = serving(&demo(), |before| if before < 2 { Reply::Drip } else { Reply::ok("x/y", demo()) });
    setup.install(&of(&server, &demo())).unwrap();
    assert_eq!(assert_sound(&setup.roots.cache), 1);
}

#[test]
fn a_connection_that_is_reset_in_mid_file_is_made_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{FILE}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let body = demo();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let mut asked = vec![0; if number < 2 { 10 } else { 64 << 10 }];
            let _ = stream.read(&mut asked).unwrap();
            let sent = if number < 2 { &body[..100] } else { &body[..] };
            stream.write_all(&[head.as_bytes(), sent].concat()).unwrap();
            thread::sleep(Duration::from_millis(50));
            // What of the request was not read makes the kernel send a reset.
        }
    });
    let setup = Setup::new(&["demo"]);
    let mut wheel = locked("", FILE, &demo());
    wheel.archive.origin = Origin::Url { url };
    setup.install(&request(vec![wheel])).unwrap();
    assert_eq!(assert_sound(&setup.roots.cache), 1);
}

#[test]
fn lengths_that_are_wrong_in_either_way() {
    let with_length = |length: usize| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        Reply::Close([head, demo()].concat())
    };
    let setup = Setup::new(&["demo"]);
    let too_long = serving(&demo(), move |before| match before {
        0 => with_length(demo().len() + 1000),
        _ => Reply::ok("x/y", demo()),
    });
    setup.install(&of(&too_long, &demo())).unwrap();
    assert_eq!(assert_sound(&setup.roots.cache), 1);

    let setup = Setup::new(&["demo"]);
    let too_short = serving(&demo(), move |_| with_length(demo().len() - 1));
    let text = setup.install(&of(&too_short, &demo())).unwrap_err().to_string();
    assert!(text.contains("does not have the digest of poetry.lock"), "{text}");
    assert_eq!(assert_sound(&setup.roots.cache), 0);
}

#[test]
fn a_full_disk_in_the_cache_mount_costs_the_cache_only() {
    let bytes = large(400_000);
    let server = index(&[(FILE, bytes.clone())]);
    let setup = Setup::new(&["demo"]);
    let folder = setup.roots.cache.join("demo");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&folder)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: a full disk is not tried, because only root can mount a small one");
        return;
    }
    let result = setup.install(&of(&server, &bytes));
    let sound = assert_sound(&setup.roots.cache);
    let unmounted = Command::new("umount").arg(&folder).status().unwrap();
    assert!(unmounted.success());
    let notes = result.unwrap().notes.concat();
    assert!(notes.contains("the cache of demo cannot be written") && notes.contains("going on without it"), "{notes}");
    assert_eq!(sound, 0);
    assert!(setup.site("demo/__init__.py").exists());
}

#[test]
fn processes_that_fill_one_cache_at_once_do_not_disturb_each_other() {
    let bytes = large(3_000_000);
    let server = index(&[(FILE, bytes.clone())]);
    let shared = Setup::new(&["demo"]);
    for _ in 0..5 {
        for entry in fs::read_dir(shared.roots.cache.join("demo")).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let setups: Vec<Setup> = (0..4).map(|_| Setup::new(&[])).collect();
        let running: Vec<_> = setups
            .iter()
            .map(|setup| {
                std::os::unix::fs::symlink(shared.roots.cache.join("demo"), setup.roots.cache.join("demo")).unwrap();
                Command::new(env!("CARGO_BIN_EXE_installer"))
                    .arg("--root")
                    .arg(setup.folder.path())
                    .args(["install", &serde_json::to_string(&of(&server, &bytes)).unwrap()])
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut process in running {
            assert!(process.wait().unwrap().success());
        }
        assert!(setups.iter().all(|setup| setup.site("demo/__init__.py").exists()));
        assert_eq!(assert_sound(&shared.roots.cache), 1);
    }
}
