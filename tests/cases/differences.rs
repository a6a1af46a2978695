//! What may not differ is found, and what may is not: changes to an image of real Poetry.

use end_to_end::{
    compare::differences,
    real::{self, Dockerfile, Real},
    side::{Content, Item, Side},
};
use libtest_mimic::Trial;

use crate::{Cases, index};

/// The test.
pub(crate) fn trial(all: &Cases) -> Trial {
    let all = Cases::clone(all);
    Trial::test("dockerfiles::what_may_not_differ_is_found_and_what_may_is_not", move || {
        check(&all);
        Ok(())
    })
}

/// Makes a difference.
type Change<'a> = dyn Fn(&mut Side) + 'a;

fn check(all: &Cases) {
    let plain = |name: &str| {
        let mut poetry = Dockerfile::new(&all[name], index());
        let inputs = poetry.inputs().expect("the build context");
        let known = real::known(name, inputs, &mut poetry);
        let (mut record, _) = known.unwrap_or_else(|error| panic!("{name}: {error}"));
        // As it is read from a record.
        let real = serde_json::to_string(&record.answers.pop().expect("an answer").value).expect("a record");
        serde_json::from_str::<Real>(&real).expect("a record").side
    };
    // Poetry shares the environment with the project.
    let (case, shared) = (&all["config-create-false"], plain("config-create-false"));
    let jinja = file(&shared, "/usr/local/lib/", "/jinja2/environment.py");
    let packages = jinja.trim_end_matches("/jinja2/environment.py");
    let certifi = file(&shared, &format!("{packages}/certifi-"), "/METADATA");
    let record = file(&shared, &format!("{packages}/jinja2-"), "/RECORD");
    let wrong: [(&str, &Change<'_>); 12] = [
        ("a file that is missing", &|side| drop(side.files.remove(&jinja))),
        ("other content", &|side| item(side, &jinja).content = Content::new(b"# Other.\n".to_vec())),
        ("another mode", &|side| item(side, &jinja).mode = 0o600),
        ("another owner", &|side| item(side, &jinja).owner = (1000, 1000)),
        ("a file too many", &|side| drop(side.files.insert("/app/x".to_owned(), side.files[&jinja].clone()))),
        ("a package that Poetry needs as well", &|side| remove(side, certifi.rsplit_once('/').expect("a folder").0)),
        ("a line of a RECORD", &|side| {
            let text = item(side, &record).content.text.clone().expect("a text");
            let fewer: String = text.lines().skip(5).map(|line| format!("{line}\n")).collect();
            item(side, &record).content = Content::new(fewer.into_bytes());
        }),
        ("a file of the base that is removed", &|side| side.removed.extend(["/etc/passwd".to_owned()])),
        ("a folder of the base that is removed", &|side| side.removed.extend(["/usr/share/doc".to_owned()])),
        ("another variable", &|side| side.config["Env"].as_array_mut().expect("a list").push("A=b".into())),
        ("a variable that only `poetry run` excuses", &|side| {
            side.config["Env"].as_array_mut().expect("a list").push("VIRTUAL_ENV=/venv".into());
        }),
        ("another command", &|side| side.config["Cmd"] = serde_json::json!(["python", "-m", "shop"])),
    ];
    for (what, change) in wrong {
        let mut ours = shared.clone();
        change(&mut ours);
        assert_ne!(differences(case, &shared, &ours), [""; 0], "{what} is not found");
    }
    let mut ours = shared.clone();
    for name in ["poetry", "cleo", "dulwich", "keyring"] {
        remove(&mut ours, &format!("{packages}/{name}"));
        let info = file(&shared, &format!("{packages}/{name}-"), "/METADATA");
        remove(&mut ours, info.rsplit_once('/').expect("a folder").0);
    }
    remove(&mut ours, "/usr/local/bin/poetry");
    remove(&mut ours, "/root/.cache");
    remove(&mut ours, "/root/.config");
    let installer = record.replace("/RECORD", "/INSTALLER");
    item(&mut ours, &installer).content = Content::new(b"poetry-buildkit\n".to_vec());
    assert_eq!(differences(case, &shared, &ours), [""; 0]);

    // It has another one, where `poetry run` starts the program.
    let (case, apart) = (&all["default-venv"], plain("default-venv"));
    let activate = file(&apart, "/root/.cache/pypoetry/virtualenvs/", "/bin/activate");
    let venv = activate.trim_end_matches("/bin/activate").to_owned();
    let mut ours = apart.clone();
    ours.config["Entrypoint"] = serde_json::json!(["shop"]);
    let variables = ours.config["Env"].as_array_mut().expect("a list");
    for variable in variables.iter_mut() {
        if let Some(path) = variable.as_str().and_then(|variable| variable.strip_prefix("PATH=")) {
            *variable = format!("PATH={venv}/bin:{path}").into();
        }
    }
    variables.push(format!("VIRTUAL_ENV={venv}").into());
    remove(&mut ours, &activate);
    remove(&mut ours, &file(&apart, &format!("{venv}/lib/"), "/_virtualenv.py"));
    assert_eq!(differences(case, &apart, &ours), [""; 0]);
    let script = format!("{venv}/bin/shop");
    remove(&mut ours, &script);
    assert_eq!(differences(case, &apart, &ours), [format!("{script} is not in ours")]);
}

/// The first file whose path begins and ends like this.
fn file(side: &Side, start: &str, end: &str) -> String {
    let mut paths = side.files.keys();
    let found = paths.find(|path| path.starts_with(start) && path.ends_with(end));
    found.unwrap_or_else(|| panic!("there is no {start}*{end}")).clone()
}

fn item<'a>(side: &'a mut Side, path: &str) -> &'a mut Item {
    side.files.get_mut(path).unwrap_or_else(|| panic!("there is no {path}"))
}

/// Takes a file away, or a folder with all in it.
fn remove(side: &mut Side, path: &str) {
    side.files.retain(|other, _| other != path && !other.starts_with(&format!("{path}/")));
}
