use super::*;
use crate::{GroupChoice, Texts};

fn project(version: &str) -> Project {
    let texts = match version {
        "2.0" => Texts {
            pyproject: include_str!("../../tests/fixtures/2.0/pyproject.toml"),
            lock: include_str!("../../tests/fixtures/2.0/poetry.lock"),
            poetry_toml: None,
        },
        _ => Texts {
            pyproject: include_str!("../../tests/fixtures/2.1/pyproject.toml"),
            lock: include_str!("../../tests/fixtures/2.1/poetry.lock"),
            poetry_toml: None,
        },
    };
    Project::read(&texts).unwrap()
}

const PLAIN: Style = Style { hashes: false, urls: true };

fn everything() -> Options {
    let groups = GroupChoice { all: true, ..GroupChoice::default() };
    Options { groups, all_extras: true, ..Options::default() }
}

/// As printed by Poetry 2.5.1 with poetry-plugin-export 1.10.1.
#[test]
fn lists_are_written_as_poetry_writes_them() {
    assert_eq!(
        project("2.1").export(&everything()).unwrap().text(PLAIN).unwrap(),
        r#"cache==1.4.0 ; python_version >= "3.8" and python_version < "4.0"
checker==1.2.0 ; python_version >= "3.8" and python_version < "4.0"
colour==0.4.6 ; python_version >= "3.8" and python_version < "4.0" and (platform_system == "Windows" or sys_platform == "win32")
lockfile==0.12.2 ; python_version >= "3.8" and python_version < "4.0"
text==1.5.0 ; python_version >= "3.8" and python_version < "3.10"
text==2.0.0 ; python_version >= "3.10" and python_version < "4.0"
web-kit==2.1.0 ; python_version >= "3.8" and python_version < "4.0"
"#
    );
    let older = project("2.0");
    let older = older.export(&everything()).unwrap().text(PLAIN).unwrap();
    let names: Vec<&str> = older.lines().filter_map(|line| line.split_once("==")).map(|(name, _)| name).collect();
    assert_eq!(names, ["cache", "checker", "colour", "lockfile", "text", "web-kit"]);
}

#[test]
fn only_the_main_group_is_listed_unless_more_is_asked_for() {
    for version in ["2.0", "2.1"] {
        let project = project(version);
        let names = |options: Options| -> Vec<String> {
            let export = project.export(&options).unwrap();
            export
                .lines()
                .iter()
                .map(|line| line.package.name.to_string())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect()
        };
        let plain = names(Options::default());
        assert!(plain.contains(&"web-kit".to_owned()) && !plain.contains(&"checker".to_owned()), "{plain:?}");
        let with = GroupChoice { with: vec![Name::new("dev")], ..GroupChoice::default() };
        assert!(names(Options { groups: with, ..Options::default() }).contains(&"checker".to_owned()));
        let only = GroupChoice { only: vec![Name::new("dev")], ..GroupChoice::default() };
        assert!(!names(Options { groups: only, ..Options::default() }).contains(&"web-kit".to_owned()));
        let extra = Options { extras: vec![Name::new("fast")], ..Options::default() };
        assert!(names(extra).contains(&"cache".to_owned()) && !plain.contains(&"cache".to_owned()));
    }
}

#[test]
fn what_a_list_installs_need_not_be_what_poetry_installs() {
    let environment = Environment::linux("3.11.7", "x86_64").unwrap();
    let versions = |project: &Project| -> (Vec<String>, Vec<String>) {
        let named = |package: &LockedPackage| format!("{} {}", package.name, package.version_text);
        let export = project.export(&everything()).unwrap();
        let selection = project.select(&environment, &everything()).unwrap();
        let listed = export.installed(&environment).unwrap().into_iter().map(named);
        (listed.collect(), selection.packages.iter().map(|selected| named(selected.package)).collect())
    };
    let (listed, selected) = versions(&project("2.1"));
    assert_eq!(listed, selected);
    // The exporter chooses for all versions of Python at once: as Poetry 1.8.5 and 2.5.1 print it.
    let (listed, selected) = versions(&project("2.0"));
    assert!(listed.contains(&"text 1.5.0".to_owned()) && selected.contains(&"text 2.0.0".to_owned()));
}

#[test]
fn sources_stand_at_the_head_and_digests_behind_each_line() {
    let pyproject = "[tool.poetry]\nname = 'a'\n[tool.poetry.dependencies]\npython = '^3.9'\nb = '1'\n\
        [[tool.poetry.source]]\nname = 'Corp'\nurl = 'http://corp.example.org:81/simple/'\n";
    let lock = "[[package]]\nname = 'b'\nversion = '1'\noptional = false\npython-versions = '*'\ngroups = ['main']\n\
        files = [{file = 'b-1.tar.gz', hash = 'sha256:2'}, {file = 'b-1-py3-none-any.whl', hash = 'sha256:1'}]\n\
        [package.source]\ntype = 'legacy'\nurl = 'http://corp.example.org:81/simple'\nreference = 'corp'\n\
        [metadata]\nlock-version = '2.1'\npython-versions = '*'\ncontent-hash = ''\n";
    let project = Project::read(&Texts { pyproject, lock, poetry_toml: None }).unwrap();
    let options = Options { allow_stale: true, ..Options::default() };
    let export = project.export(&options).unwrap();
    assert_eq!(
        export.text(Style { hashes: true, urls: true }).unwrap(),
        "--trusted-host corp.example.org:81\n--index-url http://corp.example.org:81/simple\n\n\
         b==1 ; python_version >= \"3.9\" and python_version < \"4.0\" \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
    );
    assert!(export.has_sources());
    assert!(matches!(project.export(&Options::default()), Err(ExportError::Project(Error::StaleLock { .. }))));
}
