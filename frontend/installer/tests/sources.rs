//! Indexes that want credentials, redirects, and folders that are filled: the program as a build step runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::process::{Command, Output};

use common::archive::{sha256, wheel};
use common::server::{Reply, Request, Server, json_page};
use common::setup::{Setup, locked, request};
use install_request::{Fetch, Fetched, Index, Origin, Wheel};

const FILE: &str = "demo-1.0-py3-none-any.whl";
/// `me:s3cret-canary`
const BASIC: &str = "Basic bWU6czNjcmV0LWNhbmFyeQ==";

fn demo() -> Vec<u8> {
    wheel("demo", "1.0", &[("demo/__init__.py", "print('demo')\n")])
}

fn page() -> Reply {
    json_page(&[(FILE, "/files/demo.whl", &sha256(&demo()))])
}

/// An index that answers only those who know the password.
fn private() -> Server {
    Server::start(|request| match (request.headers.get("authorization").map(String::as_str), &*request.path) {
        (Some(BASIC), "/simple/demo/") => page(),
        (Some(BASIC), _) => Reply::ok("application/octet-stream", demo()),
        _ => Reply::status(401),
    })
}

fn wheel_of(server: &Server, source: Option<&str>) -> Wheel {
    let mut wheel = locked(&server.url, FILE, &demo());
    if let Origin::Index(index) = &mut wheel.archive.origin {
        *index = Index { source: source.map(str::to_owned), ..index.clone() };
    }
    wheel
}

fn secret(setup: &Setup, id: &str, text: &str) {
    fs::write(setup.roots.secrets.join(id), text).unwrap();
}

fn run(setup: &Setup, command: &str, request: &impl serde::Serialize) -> (bool, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_installer"))
        .arg("--root")
        .arg(setup.folder.path())
        .args([command, &serde_json::to_string(request).unwrap()])
        .env_clear()
        .output()
        .unwrap();
    (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

fn install(setup: &Setup, wheel: Wheel) -> (bool, String) {
    run(setup, "install", &request(vec![wheel]))
}

#[test]
fn one_page_may_list_the_files_of_all_packages() {
    let server = Server::start(|request| match &*request.path {
        "/releases.html" => {
            let links = [format!("demo/{FILE}#sha256={}", sha256(&demo())), "other/other-2.0.tar.gz".to_owned()];
            Reply::ok("text/html", links.map(|link| format!("<a href='{link}'>x</a>")).concat())
        }
        path if path.starts_with("/demo/") => Reply::ok("application/octet-stream", demo()),
        _ => Reply::status(404),
    });
    let (setup, mut wheel) = (Setup::new(&["demo"]), wheel_of(&server, None));
    if let Origin::Index(index) = &mut wheel.archive.origin {
        index.url = format!("{}/releases.html", server.url);
    }
    let (success, output) = install(&setup, wheel);
    assert!(success, "{output}");
    assert!(setup.site("demo/__init__.py").is_file());
}

#[test]
fn credentials_come_from_secrets_named_as_poetrys_variables() {
    let (server, setup) = (private(), Setup::new(&["demo"]));
    secret(&setup, "POETRY_HTTP_BASIC_MY_CORP_USERNAME", "me\n");
    secret(&setup, "POETRY_HTTP_BASIC_MY_CORP_PASSWORD", "s3cret-canary\n");
    let (success, output) = install(&setup, wheel_of(&server, Some("my-corp")));
    assert!(success, "{output}");
    assert!(setup.site("demo/__init__.py").is_file());
}

#[test]
fn credentials_come_from_netrc() {
    let (server, setup) = (private(), Setup::new(&[]));
    secret(&setup, "netrc", "machine 127.0.0.1 login me password s3cret-canary\n");
    let (success, output) = install(&setup, wheel_of(&server, None));
    assert!(success, "{output}");
}

#[test]
fn missing_and_refused_credentials_say_which_secret_to_pass() {
    let server = private();
    let shown = |setup: &Setup, source| {
        let (success, output) = install(setup, wheel_of(&server, source));
        assert!(!success);
        output.replace(&server.url, "http://index")
    };
    let setup = Setup::new(&[]);
    insta::assert_snapshot!("credentials_missing", shown(&setup, Some("my-corp")));
    insta::assert_snapshot!("credentials_missing_for_the_default_index", shown(&setup, None));
    secret(&setup, "POETRY_HTTP_BASIC_MY_CORP_PASSWORD", "wrong-canary");
    let refused = shown(&setup, Some("my-corp"));
    assert!(!refused.contains("canary"));
    insta::assert_snapshot!("credentials_refused", refused);
}

#[test]
fn no_credential_follows_a_redirect_to_another_host() {
    let other = Server::start(|request: &Request| match request.headers.get("authorization") {
        None => Reply::ok("application/octet-stream", demo()),
        Some(_) => Reply::status(418),
    });
    let target = format!("{}/demo.whl", other.url);
    let server = Server::start(move |request| match (request.headers.contains_key("authorization"), &*request.path) {
        (false, _) => Reply::status(401),
        (true, "/simple/demo") => Reply::Content(301, vec![("Location", "demo/".into())], vec![]),
        (true, "/simple/demo/") => page(),
        (true, _) => Reply::Content(302, vec![("Location", target.clone())], vec![]),
    });
    let setup = Setup::new(&[]);
    secret(&setup, "POETRY_HTTP_BASIC_CORP_USERNAME", "me");
    let (success, output) = install(&setup, wheel_of(&server, Some("corp")));
    assert!(success, "{output}");
    assert_eq!(other.paths(), ["/demo.whl"]);
}

#[test]
fn a_circle_of_redirects_ends() {
    let server = Server::start(|request| Reply::Content(302, vec![("Location", request.path.clone())], vec![]));
    let (success, output) = install(&Setup::new(&[]), wheel_of(&server, None));
    assert!(!success);
    assert!(output.contains("the server redirects to where it is not safe to go"), "{output}");
}

#[test]
fn a_wheelhouse_is_filled_and_then_stands_in_for_the_index() {
    let server = common::setup::index(&[(FILE, demo())]);
    let setup = Setup::new(&[]);
    let wheel = wheel_of(&server, None);
    let fetch = Fetch { archives: vec![Fetched { name: wheel.name.clone(), archive: wheel.archive.clone() }] };
    let (success, output) = run(&setup, "fetch", &fetch);
    assert!(success, "{output}");
    let file = setup.roots.out.join(FILE);
    assert_eq!(fs::read(&file).unwrap(), demo());

    let mut offline = wheel.clone();
    offline.archive.origin = Origin::File { path: file.to_string_lossy().into_owned() };
    let (success, output) = install(&Setup::new(&[]), offline.clone());
    assert!(success, "{output}");
    fs::write(&file, "something else").unwrap();
    let (success, output) = install(&Setup::new(&[]), offline);
    assert!(!success);
    assert!(output.contains("does not have the digest of poetry.lock"), "{output}");
}

#[test]
fn two_files_of_one_name_cannot_be_in_a_wheelhouse() {
    let server = common::setup::index(&[(FILE, demo())]);
    let archive = wheel_of(&server, None).archive;
    let mut twin = archive.clone();
    twin.sha256 = Some("0".repeat(64));
    let fetched = |name: &str, archive| Fetched { name: name.to_owned(), archive };
    let fetch = Fetch { archives: vec![fetched("demo", archive), fetched("other", twin)] };
    let (success, output) = run(&Setup::new(&[]), "fetch", &fetch);
    assert!(!success);
    assert!(output.contains("another package has a file of this name and of another content"), "{output}");
}
