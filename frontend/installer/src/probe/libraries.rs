//! The shared libraries of the root file system.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the dynamic linker looks, with the folders of architectures below.
const FOLDERS: [&str; 7] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/opt/lib"];

/// The names of all libraries, as files or links.
pub(super) fn list() -> BTreeSet<String> {
    let of_architectures =
        FOLDERS.iter().flat_map(|folder| entries(Path::new(folder)).filter(|path| is_multiarch(path)));
    let folders = FOLDERS.iter().map(PathBuf::from).chain(of_architectures);
    let names = folders.flat_map(|folder| entries(&folder).collect::<Vec<_>>());
    names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).filter(|name| name.contains(".so")).collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// E.g. `x86_64-linux-gnu`.
fn is_multiarch(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains("-linux-")) && path.is_dir()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_c_library_is_found() {
        let found = super::list();
        assert!(found.iter().any(|name| name.starts_with("libc.so") || name.starts_with("ld-musl")), "{found:?}");
    }
}
