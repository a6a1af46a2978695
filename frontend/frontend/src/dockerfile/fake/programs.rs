//! What processes leave in a file system.

use buildkit_llb::Platform;
use buildkit_proto::pb;
use install_request::{Libc, LibcFamily, Probe, layout};

use super::tree::Tree;
use crate::interpreter;

/// The interpreter of the image of [`python`].
const VERSION: &str = "3.11.2";
/// Where it is.
const EXECUTABLE: &str = "/usr/local/bin/python3.11";

/// An image with Python.
pub(crate) fn python() -> Tree {
    Tree::default()
        .file("/bin/sh", "dash")
        .file(EXECUTABLE, "python")
        .link("/usr/local/bin/python3", "python3.11")
        .link("/usr/local/bin/python", "python3")
        .file("/usr/local/bin/pip", "#!/usr/local/bin/python3\n")
        .file("/usr/local/bin/pip3", "#!/usr/local/bin/python3\n")
        .folder("/usr/local/lib/python3.11/site-packages/pip")
        .folder("/usr/local/lib/python3.11/dist-packages")
        .folder("/usr/local/include")
        .folder("/usr/local/share")
        .folder("/home")
        .folder("/opt")
        .folder("/root")
        .folder("/srv")
        .shared("/tmp")
        .folder("/var/lib/apt/lists")
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n")
        .file("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
}

/// What the probe of an interpreter writes to the output at `dest`.
pub(super) fn probe(exec: &pb::ExecOp, dest: &str, tree: &mut Tree) {
    let Some(meta) = &exec.meta else { return };
    if meta.args.get(1).is_none_or(|command| command != "probe") {
        return;
    }
    let prefix = format!("{}=", layout::REQUEST_VARIABLE);
    let request = meta.env.iter().find_map(|entry| entry.strip_prefix(&prefix)).expect("a request");
    let request: Probe = serde_json::from_str(request).expect("a request");
    let libc = Libc { family: LibcFamily::Glibc, major: 2, minor: 36 };
    let mut found = interpreter::described(VERSION, &Platform::new("linux", "amd64"), libc).expect("an interpreter");
    found.executable = EXECUTABLE.to_owned();
    *tree = match dest {
        layout::FACTS => std::mem::take(tree)
            .file(&format!("/{}", layout::INTERPRETER_FILE), serde_json::to_vec(&found).expect("an interpreter")),
        _ => {
            let (key, value) = found.to_setting().expect("an interpreter");
            std::mem::take(tree).file(&format!("{}/pyvenv.cfg", request.venv), format!("{key} = {value}\n"))
        }
    };
}

/// What a process of a Dockerfile leaves.
pub(super) fn run(exec: &pb::ExecOp, tree: &mut Tree) {
    let Some(meta) = &exec.meta else { return };
    let text = meta.args.last().map(String::as_str).unwrap_or_default();
    let variable = |name: &str| {
        let entry = meta.env.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='));
        entry.unwrap_or_default().to_owned()
    };
    let mut folder = meta.cwd.clone();
    for command in text.split(['\n', ';']).flat_map(|part| part.split("&&")) {
        let words: Vec<String> =
            command.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect();
        let words: Vec<String> = words.iter().map(|word| expanded(word, &variable)).collect();
        let operand = words.last().cloned().unwrap_or_default();
        let path = if operand.starts_with('/') { operand.clone() } else { format!("{folder}/{operand}") };
        let is = |name: &str| words.iter().any(|word| word == name || word.ends_with(&format!("/{name}")));
        if is("useradd") || is("adduser") {
            user(tree, &operand, is("-m") || is("--create-home") || is("adduser"));
        } else if is("venv") && is("-m") || is("virtualenv") && !is("pip") {
            environment(tree, &path);
        } else if is("cd") {
            folder = path;
        } else if is("cp") || is("ln") || is("tar") {
            moved(tree, &folder, &words);
        } else if is("pip") && is("install") {
            installed(tree, &words);
        } else if is("mkdir") {
            tree.make(&path);
        }
    }
}

/// What `pip install NAME==VERSION` leaves, so far as it is asked for.
fn installed(tree: &mut Tree, words: &[String]) {
    let prefix = words[0].strip_suffix("/bin/pip").unwrap_or("/usr/local");
    for (name, version) in words.iter().filter_map(|word| word.split_once("==")) {
        let info = format!("{prefix}/lib/python3.11/site-packages/{name}-{version}.dist-info/METADATA");
        *tree = std::mem::take(tree).file(&info, format!("Name: {name}\nVersion: {version}\n"));
    }
}

/// What `cp -r FROM… TO`, `ln -s FROM… TO` and `tar` with `-C`, `-cf` and `-xf` leave. An archive is a list of what is in it.
fn moved(tree: &mut Tree, folder: &str, words: &[String]) {
    let absolute = |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let operands: Vec<String> =
        words.iter().skip(1).filter(|word| !word.starts_with('-')).map(|word| absolute(word)).collect();
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let copy = |tree: &mut Tree, from: &str, to: &str| {
        let all = tree.clone();
        let (src, dest) = (from.to_owned(), to.to_owned());
        let contents = from.ends_with("/.");
        tree.copy(&all, &pb::FileActionCopy { src, dest, dir_copy_contents: contents, ..Default::default() });
    };
    match (words[0].as_str(), &operands[..]) {
        ("cp", [sources @ .., to]) => sources.iter().for_each(|from| copy(tree, from, to)),
        ("ln", [sources @ .., _]) => {
            for from in sources {
                *tree = std::mem::take(tree).link(&format!("{folder}/{}", name(from)), from);
            }
        }
        ("tar", [from, archive, members @ ..]) if words.iter().any(|word| word == "-cf") => {
            let members: Vec<String> = members.iter().map(|member| format!("{from}/{}", name(member))).collect();
            *tree = std::mem::take(tree).file(archive, members.join("\n"));
        }
        ("tar", [archive]) => {
            let members = String::from_utf8_lossy(tree.read(archive).unwrap_or_default()).into_owned();
            members.lines().for_each(|member| copy(tree, member, &format!("{folder}/")));
        }
        _ => {}
    }
}

/// A word with the variables that it names.
fn expanded(word: &str, variable: &dyn Fn(&str) -> String) -> String {
    let Some((before, rest)) = word.split_once('$') else { return word.to_owned() };
    let rest = rest.trim_start_matches('{');
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    format!("{before}{}{}", variable(&rest[..end]), expanded(rest[end..].trim_start_matches('}'), variable))
}

fn user(tree: &mut Tree, name: &str, has_home: bool) {
    for (file, entry) in [
        ("/etc/passwd", format!("{name}:x:1000:1000::/home/{name}:/bin/sh\n")),
        ("/etc/group", format!("{name}:x:1000:\n")),
    ] {
        let mut text = tree.read(file).unwrap_or_default().to_vec();
        text.extend(entry.into_bytes());
        *tree = std::mem::take(tree).file(file, text);
    }
    if has_home {
        tree.make(&format!("/home/{name}"));
    }
}

fn environment(tree: &mut Tree, path: &str) {
    let path = path.trim_end_matches('/');
    let activate = format!("VIRTUAL_ENV={path}\nexport VIRTUAL_ENV\nPATH=\"$VIRTUAL_ENV/bin:$PATH\"\nexport PATH\n");
    let settings = format!(
        "home = /usr/local/bin\ninclude-system-site-packages = false\nversion = {VERSION}\nexecutable = {EXECUTABLE}\n"
    );
    *tree = std::mem::take(tree)
        .file(&format!("{path}/pyvenv.cfg"), settings)
        .file(&format!("{path}/bin/activate"), activate)
        .link(&format!("{path}/bin/python"), EXECUTABLE)
        .link(&format!("{path}/bin/python3"), "python")
        .file(&format!("{path}/bin/pip"), format!("#!{path}/bin/python\n"))
        .folder(&format!("{path}/lib/python3.11/site-packages/pip"));
}
