//! Settings, and the usual options of a build.

use std::fs;

use end_to_end::{
    docker::{Build, run},
    examples::Example,
    git::GitServer,
    image::Image,
};

use crate::{alone, build, index};

#[test]
fn settings_shape_the_image() {
    let example = Example::named("command-line");
    let folder = example.copy();
    let settings = "[tool.poetry-buildkit]\n\
        workdir = \"/srv/shop\"\nvenv = \"/opt/env\"\nuser = \"1000:2000\"\nexpose = [\"8080\", \"53/udp\"]\n\
        env = { GREETING = \"yes\" }\nlabels = { team = \"shop\" }\nentrypoint = [\"greet\"]\ncmd = [\"Grace\"]\n\
        exclude = [\"/*.md\"]\ncompile-bytecode = true\n\n[build-system]";
    let path = folder.path().join("pyproject.toml");
    let text = fs::read_to_string(&path).unwrap().replace("[build-system]", settings);
    fs::write(path, text).unwrap();
    let tag = "test-settings";
    build(&example, folder.path(), index()).args(["--label", "team=toys", "--label", "x=y"]).tag(tag).succeed();

    assert_eq!(run::<&str>(&[], tag, &[]), "Hello, Grace!\n");
    let code = "import os, sys, click; print(os.getuid(), os.getgid(), os.getcwd(), sys.prefix, os.environ['GREETING'], \
                os.path.exists(click.__cached__))";
    let output = run(&["--entrypoint=python"], tag, &["-c", code]);
    assert_eq!(output, "1000 2000 /srv/shop /opt/env yes True\n");
    let image = Image::over(tag, "python:3.13-slim");
    let config = &image.config["config"];
    assert_eq!(config["Labels"]["team"], "toys");
    assert_eq!(config["Labels"]["x"], "y");
    assert!(config["ExposedPorts"]["8080/tcp"].is_object() && config["ExposedPorts"]["53/udp"].is_object());
    let files = image.files();
    assert!(files.contains_key("/srv/shop/pyproject.toml"));
    for (path, entry) in &files {
        assert_eq!(entry.mtime, install_request::EPOCH, "{path}");
    }
    assert!(!files.contains_key("/srv/shop/README.md") && !files.contains_key("/srv/shop/poetry.lock"));
}

#[test]
fn dockerignore_counts_and_the_files_own_comes_first() {
    let example = Example::named("command-line");
    let folder = example.copy();
    fs::write(folder.path().join("a.txt"), "a").unwrap();
    fs::write(folder.path().join("b.txt"), "b").unwrap();
    // Even a file that leaves the lock out does no harm.
    fs::write(folder.path().join(".dockerignore"), "a.txt\npoetry.lock\npyproject.toml\n").unwrap();
    let texts = |tag: &str| {
        build(&example, folder.path(), index()).tag(tag).succeed();
        let files = Image::over(tag, "python:3.13-slim").files();
        files.into_keys().filter(|path| path.ends_with(".txt") && path.matches('/').count() == 2).collect::<Vec<_>>()
    };
    assert_eq!(texts("test-ignore"), ["/app/b.txt"]);
    fs::write(folder.path().join("Dockerfile.dockerignore"), "b.txt\n").unwrap();
    assert_eq!(texts("test-ignore-own"), ["/app/a.txt"]);

    // Taking all of a folder back takes no secrets back.
    fs::write(folder.path().join("Dockerfile.dockerignore"), "*\n!conf\n").unwrap();
    fs::create_dir(folder.path().join("conf")).unwrap();
    for name in [".env", ".env.local", "shop.txt"] {
        fs::write(folder.path().join("conf").join(name), "x").unwrap();
    }
    let tag = "test-ignore-all-but";
    build(&example, folder.path(), index()).tag(tag).succeed();
    let files = Image::over(tag, "python:3.13-slim").files();
    let of_conf: Vec<&String> = files.keys().filter(|path| path.starts_with("/app/conf/")).collect();
    assert_eq!(of_conf, ["/app/conf/shop.txt"]);
}

#[test]
fn packages_are_found_wherever_pyproject_says() {
    let example = Example::named("command-line");
    let folder = example.copy();
    let at = |path: &str| folder.path().join(path);
    // A namespace package, whose folder has no module; a second root; and a pattern.
    let packages = "packages = [{ include = \"acme\", from = \"src\" }, { include = \"words\", from = \"libs\" }, \
                    { include = \"*\", from = \"more\" }]";
    let text = fs::read_to_string(at("pyproject.toml")).unwrap();
    let text = text.replace("packages = [{ include = \"greet\", from = \"src\" }]", packages);
    fs::write(at("pyproject.toml"), text.replace("greet.cli:main", "acme.greet.cli:main")).unwrap();
    fs::create_dir_all(at("src/acme")).unwrap();
    fs::rename(at("src/greet"), at("src/acme/greet")).unwrap();
    let code = fs::read_to_string(at("src/acme/greet/cli.py")).unwrap();
    let code = code.replace("Hello", "{hello}").replace("f\"{hello}", "f\"{hello.WORD}{marks.MARK}");
    fs::write(at("src/acme/greet/cli.py"), format!("import marks\nfrom words import hello\n{code}")).unwrap();
    for (path, text) in [("libs/words/hello.py", "WORD = 'Welcome'\n"), ("more/marks.py", "MARK = '!'\n")] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), text).unwrap();
    }
    let tag = "test-packages";
    build(&example, folder.path(), index()).tag(tag).succeed();
    assert_eq!(run(&[], tag, &["Ada"]), "Welcome!, Ada!\n");
}

#[test]
fn named_contexts_replace_the_base() {
    let example = Example::named("command-line");
    for name in ["base", "python:3.13-slim"] {
        let tag = "test-named-context";
        let context = format!("{name}=docker-image://python:3.13");
        build(&example, &example.folder, index()).args(["--build-context", &context]).tag(tag).succeed();
        assert!(!Image::over(tag, "python:3.13").layers.is_empty());
    }
}

#[test]
fn no_cache_runs_everything_again() {
    let example = Example::named("command-line");
    let build = alone(build(&example, &example.folder, index()), "no-cache");
    let first = build.succeed().execs().len();
    let progress = build.clone().arg("--no-cache").succeed();
    assert_eq!(progress.execs().len(), first);
    assert!(!progress.vertices.values().any(|vertex| vertex.log.contains("cached")), "cache mounts are emptied");
}

#[test]
fn the_default_index_works() {
    let example = Example::named("annapurna");
    let build = match std::env::var("SSL_CERT_FILE") {
        Ok(bundle) => example.build(&example.folder).args(["--secret", &format!("id=ca-bundle,src={bundle}")]),
        Err(_) => example.build(&example.folder),
    };
    alone(build, "default-index")
        .build_arg("BUILDKIT_CACHE_MOUNT_NS", "default-index")
        .tag("test-default-index")
        .succeed();
    let code = ["-c", "import fastapi; print(fastapi.__version__)"];
    assert_eq!(run(&["--entrypoint=python"], "test-default-index", &code), "0.95.2\n");
}

#[test]
fn debian_packages_are_installed() {
    let example = Example::named("command-line");
    let build = build(&example, &example.folder, index()).build_arg("POETRY_BUILDKIT_APT", "libpq5");
    build.tag("test-apt").succeed();
    let code = ["-c", "import ctypes; print(ctypes.CDLL('libpq.so.5').PQlibVersion() > 0)"];
    assert_eq!(run(&["--entrypoint=python"], "test-apt", &code), "True\n");
}

#[test]
fn repositories_are_built() {
    let example = Example::named("command-line");
    let server = GitServer::start();
    let address = server.add("greet", &example.folder);
    let build = Build::new(format!("{address}#main")).build_arg("POETRY_BUILDKIT_INDEX", &index().url());
    build.tag("test-repository").succeed();
    assert_eq!(run(&[], "test-repository", &["Alan"]), "Hello, Alan!\n");
    let files = Image::over("test-repository", "python:3.13-slim").files();
    assert!(!files.contains_key("/app/poetry.lock"), "the same files are left out as of a folder");
}
