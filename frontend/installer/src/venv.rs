//! Empty virtual environments (PEP 405).

use std::io;
use std::path::Path;

use install_request::Interpreter;

use crate::Tree;
use crate::paths::join;
use crate::probe::Build;

/// Lays out an environment at `venv`: links to the interpreter, settings, folders and `activate`.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn lay_out(tree: &Tree, venv: &str, interpreter: &Interpreter, build: &Build) -> io::Result<()> {
    let bin = join(venv, &interpreter.venv.scripts);
    let (major, minor, ..) = build.version_info;
    tree.link(&join(&bin, "python"), &interpreter.executable)?;
    tree.link(&join(&bin, &format!("python{major}")), "python")?;
    tree.link(&join(&bin, &format!("python{major}.{minor}")), "python")?;
    tree.write(&join(&bin, "activate"), activate(venv, &bin).as_bytes(), false)?;
    for modules in [&interpreter.venv.purelib, &interpreter.venv.platlib] {
        tree.folder(&join(venv, modules))?;
    }
    if build.links_lib64 {
        tree.link(&join(venv, "lib64"), "lib")?;
    }
    let settings = settings(interpreter, build)?;
    tree.write(&join(venv, "pyvenv.cfg"), settings.as_bytes(), false)
}

/// The text of `pyvenv.cfg`. An interpreter reads `home` and `include-system-site-packages`; the rest is for tools.
fn settings(interpreter: &Interpreter, build: &Build) -> io::Result<String> {
    let executable = &interpreter.executable;
    let home = Path::new(executable).parent().unwrap_or(Path::new("/"));
    let implementation = interpreter.markers.get("platform_python_implementation");
    let (major, minor, micro, level, serial) = &build.version_info;
    let settings = [
        ("home", home.to_string_lossy().into_owned()),
        ("implementation", implementation.cloned().unwrap_or_default()),
        ("version_info", format!("{major}.{minor}.{micro}.{level}.{serial}")),
        ("version", format!("{major}.{minor}.{micro}")),
        ("executable", executable.clone()),
        ("include-system-site-packages", "false".to_owned()),
        ("base-prefix", build.base_prefix.clone()),
        ("base-exec-prefix", build.base_exec_prefix.clone()),
        ("base-executable", executable.clone()),
        interpreter.to_setting()?,
    ];
    Ok(settings.map(|(key, value)| format!("{key} = {value}\n")).concat())
}

/// A script for POSIX shells that puts the environment first on `PATH`.
fn activate(venv: &str, bin: &str) -> String {
    format!(
        r#"# Use this environment in the current shell: . {bin}/activate
# Leave it with: deactivate

deactivate() {{
    if [ -n "${{_VENV_PATH_BEFORE+x}}" ]; then
        PATH=$_VENV_PATH_BEFORE
        export PATH
        unset _VENV_PATH_BEFORE
    fi
    if [ -n "${{_VENV_HOME_BEFORE+x}}" ]; then
        PYTHONHOME=$_VENV_HOME_BEFORE
        export PYTHONHOME
        unset _VENV_HOME_BEFORE
    fi
    unset VIRTUAL_ENV
    if [ "${{1-}}" != keep ]; then
        unset -f deactivate
    fi
    hash -r 2>/dev/null || true
}}

deactivate keep
VIRTUAL_ENV={venv}
export VIRTUAL_ENV
_VENV_PATH_BEFORE=$PATH
PATH={bin}:$PATH
export PATH
if [ -n "${{PYTHONHOME+x}}" ]; then
    _VENV_HOME_BEFORE=$PYTHONHOME
    unset PYTHONHOME
fi
hash -r 2>/dev/null || true
"#,
        venv = quote(venv),
        bin = quote(bin),
    )
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn activate_can_be_used_and_left_in_a_posix_shell() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("activate");
        std::fs::write(&script, activate("/it's/a venv", "/it's/a venv/bin")).unwrap();
        let commands = format!(
            "set -eu; PATH=/usr/bin:/bin; PYTHONHOME=/h; . '{0}'; . '{0}'; echo \"$PATH $VIRTUAL_ENV ${{PYTHONHOME-none}}\"; \
             deactivate; echo \"$PATH ${{VIRTUAL_ENV-none}} $PYTHONHOME\"; type deactivate >/dev/null 2>&1 || echo gone",
            script.display()
        );
        let output = Command::new("/bin/sh").args(["-c", &commands]).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "/it's/a venv/bin:/usr/bin:/bin /it's/a venv none\n/usr/bin:/bin none /h\ngone\n",
            "{output:?}"
        );
    }
}
