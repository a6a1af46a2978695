use std::fs;
use std::io;
use std::path::Path;

use super::CompileError;
use super::worker::Module;
use crate::paths::join;

/// The modules below `folders`, sorted: where each is now, and its final path. Links are not followed;
/// a folder that is not there has no modules.
pub(super) fn list(tree: &Path, folders: &[String]) -> Result<Vec<Module>, CompileError> {
    let mut files = Vec::new();
    for folder in folders {
        walk(tree, folder, &mut files).map_err(|source| CompileError::Read { path: folder.clone(), source })?;
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn walk(tree: &Path, folder: &str, files: &mut Vec<Module>) -> io::Result<()> {
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let place = tree.join(folder.trim_start_matches('/'));
        let entries = match fs::read_dir(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            // Wheels hold UTF-8 names only.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = join(&folder, &name);
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() && name.ends_with(".py") {
                files.push((entry.path().to_string_lossy().into_owned(), path));
            }
        }
    }
    Ok(())
}
