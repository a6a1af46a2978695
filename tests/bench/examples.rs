//! The examples of docs/ci.md, as the CI systems run them.

const DOCUMENT: &str = include_str!("../../docs/ci.md");

/// The registry of the example for GitHub.
const REGISTRY: &str = "registry.example.org";

/// For each CI system, what its example hands to `docker buildx build`, without the folder. `registry` is the address of the one
/// to use.
pub fn all(registry: &str) -> [(&'static str, Vec<String>); 2] {
    [("GitHub", github(registry)), ("GitLab", gitlab(registry))]
}

/// The inputs of docker/build-push-action are named as the options of the command line.
fn github(registry: &str) -> Vec<String> {
    let example = example("GitHub Actions").replace(REGISTRY, registry).replace("${{ github.sha }}", "0123abc");
    let (_, step) = example.split_once("uses: docker/build-push-action@").expect("a step that builds");
    let inputs = step.lines().skip_while(|line| line.trim() != "with:").skip(1);
    let inputs = inputs.filter_map(|line| line.trim().split_once(": "));
    let options = inputs.flat_map(|(name, value)| match (name, value) {
        ("push", "true") => vec!["--push".to_owned()],
        ("tags" | "platforms", value) => vec![format!("--{}", name.trim_end_matches('s')), value.to_owned()],
        ("cache-from" | "cache-to", value) => vec![format!("--{name}"), value.to_owned()],
        other => panic!("nothing is known of the input {other:?} of build-push-action"),
    });
    options.collect()
}

/// One command, whose only variables are GitLab's own.
fn gitlab(registry: &str) -> Vec<String> {
    let example = example("GitLab CI")
        .replace("$CI_REGISTRY_IMAGE", &format!("{registry}/team/app"))
        .replace("$CI_COMMIT_SHA", "0123abc");
    let (_, script) = example.split_once("\n  script:\n").expect("a script");
    let command = script.trim().strip_prefix("- >").expect("one command of several lines");
    let words: Vec<String> = command.split_whitespace().map(|word| word.replace('"', "")).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["docker", "buildx", "build", .., "."] => words[3..words.len() - 1].to_vec(),
        _ => panic!("this is no build of the folder: {command}"),
    }
}

/// The code under a heading.
fn example(heading: &str) -> String {
    let (_, section) = DOCUMENT.split_once(&format!("## {heading}\n")).expect("the heading");
    let (_, code) = section.split_once("```yaml\n").expect("an example");
    code.split("```").next().unwrap_or_default().to_owned()
}
