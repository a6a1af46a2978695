//! Records what BuildKit's own Dockerfile frontend makes of the Dockerfiles of the tests, so that what becomes of each is seen without
//! Docker.
//!
//! `./dev record [CASE…]` writes `tests/dockerfiles/recorded`. The program is the client of these builds, and in an image of its own
//! the frontend that writes down what the built-in one gave it.

use std::{env, error::Error, fs, path::Path, process::ExitCode};

use buildkit_llb::{File, FileAction, Output};
use buildkit_proto::gateway::{self as proto, result};
use end_to_end::{
    docker::Build,
    dockerfiles::{self, Case},
    index::Index,
    say, wheels,
};
use poetry_buildkit::{dockerfile::delegate, gateway::Gateway, request::Request};
use prost::Message;

/// The image that this program is in as a frontend.
const IMAGE: &str = "poetry-buildkit-recorder";
/// What is kept of what is said of an image.
const CONFIG: &str = "containerimage.config";
/// The name of what it gives.
const FILE: &str = "result.pb";

fn main() -> ExitCode {
    let outcome = if Request::is_in(env::vars()) { frontend() } else { client() };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("record: {error}");
            ExitCode::FAILURE
        }
    }
}

fn frontend() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let request = Request::from_environment(env::vars())?;
        let gateway = Gateway::connect(&[]).await?;
        match delegate::ask(&gateway, &request).await {
            Ok(mut given) => {
                given.metadata.retain(|key, _| key == CONFIG);
                if let Some(result::Result::Ref(reference)) = &mut given.result {
                    reference.id = "recorded".to_owned();
                }
                let file = FileAction::mkfile(format!("/{FILE}"), given.encode_to_vec());
                let state = File::on(Output::scratch()).then(file).output()?;
                let solved = gateway.solve(state.marshal()?).await?;
                let answer = proto::Result { result: Some(result::Result::Ref(solved)), ..Default::default() };
                gateway.succeed(answer).await?;
            }
            Err(error) => gateway.fail(error.status()).await?,
        }
        Ok(())
    });
    runtime.shutdown_background();
    outcome
}

fn client() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let cases = dockerfiles::groups().into_values().flatten();
    let cases: Vec<Case> = cases.filter(|case| wanted.is_empty() || wanted.contains(&case.name)).collect();
    image()?;
    let index = Index::start(wheels::folder());
    let recorded = dockerfiles::recorded();
    fs::create_dir_all(&recorded)?;
    for case in &cases {
        let out = tempfile::tempdir()?;
        let ready = case.ready(&index);
        let build = ready.ours.clone().build_arg("BUILDKIT_SYNTAX", IMAGE);
        build.arg("--output").arg(format!("type=local,dest={}", out.path().display())).succeed();
        fs::copy(out.path().join(FILE), recorded.join(format!("{}.pb", case.name)))?;
    }
    say(&format!("recorded {} Dockerfiles", cases.len()));
    Ok(())
}

/// Makes the image.
fn image() -> Result<(), Box<dyn Error>> {
    let context = tempfile::tempdir()?;
    let put = |name: &str, text: &str| fs::write(context.path().join(name), text);
    fs::copy(env::current_exe()?, context.path().join("record"))?;
    put("Dockerfile", "FROM python:3.11-slim\nCOPY record /record\nENTRYPOINT [\"/record\"]\n")?;
    Build::new(Path::new(context.path())).tag(IMAGE).arg("--load").succeed();
    Ok(())
}
