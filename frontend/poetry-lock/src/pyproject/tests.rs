use super::*;
use crate::{GitReference, InputFile, Origin};

fn read(text: &str) -> Pyproject {
    Pyproject::read(text, Dialect::Poetry2).unwrap()
}

fn names(group: &Group, groups: &[Group]) -> Vec<String> {
    group.all_dependencies(groups).iter().map(|dependency| dependency.name.to_string()).collect()
}

#[test]
fn dependencies_of_tool_poetry_are_read_in_all_their_forms() {
    let project = read(
        r#"
        [tool.poetry]
        name = "x"
        [tool.poetry.dependencies]
        Python = "^3.9"
        plain = "^1.0"
        table = { version = ">=1", extras = ["Some_Extra"], optional = true, python = "<3.10", platform = "linux", markers = "os_name == 'posix'" }
        several = [{ version = "1.0", python = "<3.10" }, { version = "2.0", python = ">=3.10" }]
        bound = { version = "*", source = "Own" }
        git = { git = "https://example.org/a.git", tag = "v1", subdirectory = "sub", develop = true }
        folder = { path = "../lib", develop = true }
        file = { file = "dist/a.whl" }
        url = { url = "https://example.org/a.zip" }
        "#,
    );
    let main = &project.groups[0].dependencies;
    let of = |name: &str| main.iter().filter(|dependency| dependency.raw_name == name).collect::<Vec<_>>();
    assert_eq!(main.len(), 9);
    assert_eq!(of("plain")[0].constraint.to_string(), ">=1.0,<2.0");
    assert!(of("table")[0].optional && of("table")[0].extras.contains(&Name::new("some-extra")));
    assert_eq!(of("table")[0].marker.text(), "((os_name == 'posix') and (python <3.10)) and (sys_platform linux)");
    assert_eq!(of("several").len(), 2);
    assert_eq!(of("bound")[0].origin, Origin::Index { source: Some("Own".into()) });
    assert_eq!(
        of("git")[0].origin,
        Origin::Git {
            url: "https://example.org/a.git".into(),
            reference: GitReference::Tag("v1".into()),
            subdirectory: Some("sub".into())
        }
    );
    assert!(of("git")[0].develop && of("folder")[0].develop);
    assert_eq!(of("file")[0].origin, Origin::Path { path: "dist/a.whl".into(), subdirectory: None });
    assert_eq!(of("url")[0].origin, Origin::Url { url: "https://example.org/a.zip".into(), subdirectory: None });
    assert_eq!(project.python.to_string(), "^3.9");
}

#[test]
fn tool_poetry_enriches_the_dependencies_of_project() {
    let project = read(
        r#"
        [project]
        name = "x"
        version = "1"
        dependencies = ["web[Big] (>=2)", "other"]
        [project.optional-dependencies]
        Fast_One = ["cache"]
        [tool.poetry.dependencies]
        web = { version = "<3", source = "own", markers = "os_name == 'posix'", allow-prereleases = true }
        cache = { git = "https://example.org/cache.git" }
        ignored = "*"
        [tool.poetry.extras]
        ignored = ["other"]
        "#,
    );
    let main = &project.groups[0].dependencies;
    assert_eq!(names(&project.groups[0], &project.groups), ["web", "other", "cache"]);
    assert_eq!(main[0].constraint.to_string(), ">=2,<3");
    assert_eq!(main[0].origin, Origin::Index { source: Some("own".into()) });
    assert_eq!(main[0].extras.iter().map(Name::as_str).collect::<Vec<_>>(), ["big"]);
    assert_eq!(main[0].marker.text(), "os_name == 'posix'");
    assert!(main[2].optional && main[2].is_direct());
    assert_eq!(main[2].in_extras, [Name::new("fast-one")]);
    assert_eq!(project.extras.keys().map(Name::as_str).collect::<Vec<_>>(), ["fast-one"]);
}

#[test]
fn incompatible_enrichment_is_an_error() {
    let text = "[project]\nname = 'x'\ndependencies = ['web >=2']\n[tool.poetry.dependencies]\nweb = '<2'\n";
    let error = Pyproject::read(text, Dialect::Poetry2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the version constraint `<2`: it allows no version that `>=2` in standard form allows"
    );
    assert_eq!(error.span().unwrap().line_column(text), (5, 7));
}

#[test]
fn dynamic_leaves_half_of_the_dependencies_to_tool_poetry() {
    let with_dynamic = |dynamic: &str| {
        let project = read(&format!(
            "[project]\nname = 'x'\ndynamic = [{dynamic}]\n[project.optional-dependencies]\nfast = ['cache']\n\
             [tool.poetry.dependencies]\nweb = '*'\nslow = {{ version = '*', optional = true }}\n"
        ));
        names(&project.groups[0], &project.groups)
    };
    assert_eq!(with_dynamic("'dependencies'"), ["cache", "web"]);
    assert_eq!(with_dynamic(""), ["cache"]);
}

#[test]
fn poetry_1_sees_tool_poetry_alone() {
    let text = "[project]\nname = 'new'\ndependencies = ['a']\n[dependency-groups]\nlint = ['b']\n\
                [tool.poetry]\nname = 'old'\nversion = '1'\n[tool.poetry.dependencies]\nc = '*'\n";
    let old = Pyproject::read(text, Dialect::Poetry1).unwrap();
    assert_eq!(old.name.as_ref().unwrap().value, "old");
    assert_eq!(names(&old.groups[0], &old.groups), ["c"]);
    assert_eq!(old.groups.len(), 1);
    let new = read(text);
    assert_eq!(new.name.as_ref().unwrap().value, "new");
    assert_eq!(names(&new.groups[0], &new.groups), ["a"]);
    assert!(new.group(&Name::new("Lint")).is_some());
}

#[test]
fn groups_come_from_three_places_and_include_each_other() {
    let project = read(
        r#"
        [dependency-groups]
        lint = ["ruff (>=1)", { include-group = "types" }]
        types = ["mypy"]
        [tool.poetry.group.lint]
        optional = true
        [tool.poetry.group.lint.dependencies]
        ruff = { version = "*", source = "own" }
        [tool.poetry.group.all]
        include-groups = ["lint", "Dev"]
        [tool.poetry.group.all.dependencies]
        python = "^3"
        extra = "*"
        [tool.poetry.dev-dependencies]
        pytest = "*"
        "#,
    );
    let group = |name: &str| project.group(&Name::new(name)).unwrap();
    assert!(group("lint").optional && !group("types").optional);
    assert_eq!(group("lint").dependencies[0].origin, Origin::Index { source: Some("own".into()) });
    assert_eq!(names(group("lint"), &project.groups), ["ruff", "mypy"]);
    assert_eq!(names(group("all"), &project.groups), ["extra", "ruff", "mypy", "pytest"]);
    assert_eq!(project.groups[0].span, None);
}

#[test]
fn a_long_chain_of_includes_is_refused() {
    let chain: String =
        (0..500).map(|index| format!("g{index} = [{{ include-group = 'g{}' }}]\n", index + 1)).collect();
    let error = Pyproject::read(&format!("[dependency-groups]\n{chain}g500 = []\n"), Dialect::Poetry2).unwrap_err();
    assert_eq!(error.to_string(), "dependency groups include each other on more than 100 levels");
}

#[test]
fn the_python_constraint_answers_for_releases_and_minor_versions() {
    let python = |constraint: &str| read(&format!("[project]\nname = 'x'\nrequires-python = '{constraint}'\n")).python;
    let exact = python(">=3.8.1,<3.12,!=3.9.*");
    assert!(exact.allows(&"3.11.7".parse().unwrap()) && !exact.allows(&"3.8.0".parse().unwrap()));
    assert!(exact.allows_minor((3, 8)) && !exact.allows_minor((3, 9)) && !exact.allows_minor((3, 12)));
    for (constraint, lowest) in [
        (">=3.8.1,<4", Some((3, 8))),
        (">3.9", Some((3, 9))),
        ("3.12.*", Some((3, 12))),
        ("3.11.4", Some((3, 11))),
        ("<3", None),
        ("*", Some((3, 4))),
    ] {
        assert_eq!(python(constraint).lowest_minor(), lowest, "{constraint}");
    }
    assert_eq!(read("").python.lowest_minor(), Some((3, 4)));
}

#[test]
fn python_of_tool_poetry_narrows_that_of_project() {
    let text = "[project]\nname = 'x'\nrequires-python = '>=3.8'\n[tool.poetry.dependencies]\npython = '^3.10'\n";
    assert_eq!(read(text).python.to_string(), "^3.10");
}

#[test]
fn what_the_root_needs_is_read_from_tool_poetry() {
    let project = read(
        r#"
        [tool.poetry]
        name = "x"
        version = "1.2"
        description = "A thing"
        authors = ["A. Author <a@example.org>", "B"]
        license = "MIT"
        readme = ["README.md", "NEWS.md"]
        homepage = "https://example.org"
        packages = [{ include = "x", from = "src" }, { include = "t", to = "y", format = "sdist" }]
        include = ["data", { path = "lib/*.so", format = ["wheel"] }]
        exclude = ["tests"]
        package-mode = false
        requires-poetry = ">=2"
        [tool.poetry.urls]
        Tracker = "https://example.org/t"
        [tool.poetry.build]
        script = "build.py"
        generate-setup-file = true
        [tool.poetry.scripts]
        run = "x.main:run[cli]"
        old = { callable = "x:old", extras = ["a"] }
        file = { reference = "bin/x.sh", type = "file" }
        [tool.poetry.plugins."x.plugins"]
        p = "x.p:P"
        [build-system]
        requires = ["poetry-core"]
        build-backend = "poetry.core.masonry.api"
        "#,
    );
    let Metadata { authors, license, urls, .. } = &project.metadata;
    let person = |name: &str, email: Option<&str>| Person { name: Some(name.into()), email: email.map(str::to_owned) };
    assert_eq!(authors[..], [person("A. Author", Some("a@example.org")), person("B", None)]);
    assert_eq!(*license, Some(License::Name("MIT".into())));
    assert_eq!(urls.keys().collect::<Vec<_>>(), ["Homepage", "Tracker"]);
    assert!(matches!(&project.metadata.readme[..], [Readme::File { .. }, Readme::File { .. }]));
    assert!(!project.package_mode);
    assert_eq!(project.requires_poetry.unwrap().value, ">=2");
    let kinds: Vec<_> = project.scripts.into_iter().map(|script| (script.name, script.kind)).collect();
    let console =
        |reference: &str, extra: &str| ScriptKind::Console { reference: reference.into(), extras: vec![extra.into()] };
    assert_eq!(
        kinds,
        [
            ("run".into(), console("x.main:run", "cli")),
            ("old".into(), console("x:old", "a")),
            ("file".into(), ScriptKind::File { path: "bin/x.sh".into() })
        ]
    );
    assert_eq!(project.entry_points["x.plugins"]["p"], "x.p:P");
    let Build { packages, include, exclude, script, generate_setup_file } = project.build;
    assert_eq!((packages[0].include.value.as_str(), packages[0].from.as_deref()), ("x", Some("src")));
    assert_eq!((packages[1].to.as_deref(), &packages[1].formats[..]), (Some("y"), &[Format::Sdist][..]));
    assert_eq!(include[0], FileInclude { path: "data".into(), formats: vec![Format::Sdist] });
    assert_eq!(include[1], FileInclude { path: "lib/*.so".into(), formats: vec![Format::Wheel] });
    assert_eq!(
        (exclude, script.unwrap().value, generate_setup_file),
        (vec!["tests".to_owned()], "build.py".into(), true)
    );
    assert_eq!(project.build_system.unwrap().backend.unwrap().value, "poetry.core.masonry.api");
}

#[test]
fn what_the_root_needs_is_read_from_project_first() {
    let project = read(
        r#"
        [project]
        name = "x"
        dynamic = ["version"]
        license = { file = "LICENSE" }
        license-files = ["LICENSE*"]
        readme = { text = "Hello", content-type = "text/plain" }
        authors = [{ name = "A", email = "a@example.org" }]
        [project.scripts]
        run = "x:run"
        [project.gui-scripts]
        window = "x:window"
        [project.entry-points.group]
        e = "x:e"
        [project.urls]
        Home = "https://example.org"
        [tool.poetry]
        authors = ["ignored"]
        homepage = "https://example.org/ignored"
        [tool.poetry.scripts]
        ignored = "x:ignored"
        file = { reference = "x.sh", type = "file" }
        "#,
    );
    assert_eq!(project.version, ProjectVersion::Dynamic);
    assert_eq!(project.metadata.license, Some(License::File("LICENSE".into())));
    assert_eq!(project.metadata.license_files, Some(vec!["LICENSE*".into()]));
    assert!(matches!(&project.metadata.readme[..], [Readme::Text { text, .. }] if text == "Hello"));
    assert_eq!(project.metadata.authors[0].email.as_deref(), Some("a@example.org"));
    assert_eq!(project.metadata.urls.len(), 1);
    let scripts: Vec<_> = project.scripts.iter().map(|script| script.name.as_str()).collect();
    assert_eq!(scripts, ["run", "file"]);
    assert_eq!(project.gui_scripts["window"], "x:window");
    assert_eq!(project.entry_points["group"]["e"], "x:e");
}

#[test]
fn sources_have_all_priorities_there_ever_were() {
    let project = read(
        r#"
        [[tool.poetry.source]]
        name = "a"
        url = "https://example.org/a/"
        [[tool.poetry.source]]
        name = "b"
        url = "https://example.org/b"
        default = true
        [[tool.poetry.source]]
        name = "c"
        secondary = true
        [[tool.poetry.source]]
        name = "PyPI"
        priority = "explicit"
        "#,
    );
    let priorities: Vec<_> = project.indexes.iter().map(|index| (index.name.value.as_str(), index.priority)).collect();
    use Priority::{Default, Explicit, Primary, Secondary};
    assert_eq!(priorities, [("a", Primary), ("b", Default), ("c", Secondary), ("PyPI", Explicit)]);
    assert_eq!(project.indexes[3].url, None);
}

#[test]
fn values_know_their_place() {
    let text = "[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\nweb = '^1'\n";
    let project = read(text);
    let span = project.groups[0].dependencies[0].span;
    assert_eq!((span.file, span.line_column(text)), (InputFile::Pyproject, (4, 7)));
}

#[test]
fn scripts_have_names_of_files() {
    let poetry = "[tool.poetry]\nname = 'x'\n[tool.poetry.scripts]\n";
    for (table, line) in [("[project.gui-scripts]\n", 2), ("[project.scripts]\n", 2), (poetry, 4)] {
        let text = format!("{table}'../x' = 'm:f'\n");
        let error = Pyproject::read(&text, Dialect::Poetry2).unwrap_err();
        assert_eq!(error.to_string(), "the script `../x` has a name that no file can have");
        assert_eq!(error.span().unwrap().line_column(&text), (line, 1));
    }
}

#[test]
fn build_constraints_are_requirements_by_package() {
    let project = read(
        "[tool.poetry.build-constraints.Old_Lib]\nsetuptools = '<75'\ncython = { version = '^3', python = '<3.12' }\n",
    );
    let shown: Vec<String> = project.build_constraints[&Name::new("old-lib")]
        .iter()
        .map(|dependency| format!("{} {} {}", dependency.name, dependency.constraint_text, dependency.marker))
        .collect();
    assert_eq!(shown, ["setuptools <75 ", "cython ^3 python <3.12"]);
}
