//! A graph as the frontend makes them: a base, two build steps side by side, files, a merge.

use buildkit_llb::{
    Annotate, Error, Exec, File, FileAction, Lines, Merge, Mount, Network, Output, Owner, Platform, ProgressGroup,
    ResolveMode, Sharing, Source, SourceFile,
};

pub(crate) fn amd64() -> Platform {
    Platform::new("linux", "amd64")
}

pub(crate) fn lock() -> SourceFile {
    SourceFile::new("poetry.lock", "TOML", "[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\n")
}

pub(crate) fn graph() -> Result<Output, Error> {
    let base = Source::image("docker.io/library/python:3.11-slim", amd64())
        .resolve_mode(ResolveMode::Local)
        .name("[base] python:3.11-slim")
        .output()?;
    let tool = Source::image("docker.io/example/tool:1", amd64()).internal().output()?;
    let layers = ["a", "b"].into_iter().zip([Lines::from(1..=2), Lines::from(4..=5)]);
    let layers = layers.map(|(package, lines)| install(package, lines, &tool));
    let mut trees = vec![base.clone()];
    trees.extend(layers.collect::<Result<Vec<_>, _>>()?);
    trees.push(app()?);
    Ok(Merge::of(trees).name("assemble").output())
}

fn install(package: &str, lines: Lines, tool: &Output) -> Result<Output, Error> {
    Exec::new(["/poetry-buildkit/installer", "install", package], amd64())
        .root(Output::scratch())
        .mount(Mount::bind_readonly(tool, "/poetry-buildkit/installer").selector("/installer"))
        .mount(Mount::output("/poetry-buildkit/out"))
        .mount(Mount::cache("/poetry-buildkit/cache", format!("wheel/{package}")).sharing(Sharing::Locked))
        .mount(Mount::secret("/run/secrets/index", "index").optional())
        .env("SOURCE_DATE_EPOCH", "315532800")
        .network(Network::Sandbox)
        .name(format!("[{package}] install"))
        .progress_group(ProgressGroup::new("packages", "packages").weak())
        .location(&lock(), [lines])
        .build()?
        .output("/poetry-buildkit/out")
}

fn app() -> Result<Output, Error> {
    let context = Source::local("context", "session").exclude_patterns([".git", "**/*.pyc"]).output()?;
    let owner = Owner::new(1000, 1000);
    File::on(Output::scratch())
        .then(FileAction::mkdir("/app").owner(owner.clone()).timestamp(315_532_800))
        .then(FileAction::mkfile("/app/request.json", "{\n  \"a\": 1\n}\n").timestamp(315_532_800))
        .then(FileAction::copy(context, "/", "/app/").contents().owner(owner).timestamp(315_532_800))
        .output()
}
