//! How a shell is started.

use crate::{
    parse::Dialect,
    state::{State, Value, is_of_shell},
};

/// A shell that is started with a script as an argument, and nothing else that decides what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// How it reads.
    pub dialect: Dialect,
    /// Its options, by name.
    options: Vec<String>,
}

/// Why a shell's script is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// The arguments are not those of a shell that is followed, such as a login shell.
    #[error("how the shell is started is not followed")]
    Arguments,
    /// A variable decides how the shell works.
    #[error("a variable of the environment changes how the shell works")]
    Environment,
}

impl Shell {
    /// Reads the arguments of a process: `sh -c SCRIPT` with the options `-e`, `-u`, `-x`, `-f`, `-a` and those of `-o` that are
    /// followed. Gives the script, too. `None` if the program is no shell.
    ///
    /// # Errors
    /// If it is a shell that is started in another way: as a login or an interactive one it reads files before the script.
    pub fn of(arguments: &[String]) -> Option<Result<(Self, &str), Unclear>> {
        let (program, rest) = arguments.split_first()?;
        let dialect = match program.rsplit('/').next()? {
            "sh" | "dash" | "ash" => Dialect::Sh,
            "bash" => Dialect::Bash,
            "zsh" | "ksh" | "mksh" | "fish" | "busybox" | "rbash" => return Some(Err(Unclear::Arguments)),
            _ => return None,
        };
        let mut options = Vec::new();
        let mut rest = rest.iter();
        let mut has_script = false;
        while let Some(word) = rest.next() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                // The script is the last: behind it come `$0` and the parameters.
                return Some(match (has_script, rest.next()) {
                    (true, None) => Ok((Self { dialect, options }, word)),
                    _ => Err(Unclear::Arguments),
                });
            };
            for letter in letters.chars() {
                match letter {
                    'c' => has_script = true,
                    'e' => options.push("errexit".to_owned()),
                    'u' => options.push("nounset".to_owned()),
                    'x' => options.push("xtrace".to_owned()),
                    'f' => options.push("noglob".to_owned()),
                    'a' => options.push("allexport".to_owned()),
                    'v' => {}
                    'o' => match rest.next() {
                        Some(name) => options.push(name.clone()),
                        None => return Some(Err(Unclear::Arguments)),
                    },
                    _ => return Some(Err(Unclear::Arguments)),
                }
            }
        }
        Some(Err(Unclear::Arguments))
    }

    /// The state in which it begins its script.
    ///
    /// # Errors
    /// If an option or a variable is not followed.
    pub fn begin(&self, mut state: State) -> Result<State, Unclear> {
        if state.names().any(|name| is_of_shell(name) && state.exported(name) != Value::Unset) {
            return Err(Unclear::Environment);
        }
        match self.options.iter().all(|name| state.set_option(name, true)) {
            true => Ok(state),
            false => Err(Unclear::Arguments),
        }
    }
}
