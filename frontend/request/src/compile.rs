use serde::{Deserialize, Serialize};

/// Compile Python modules to bytecode: `installer compile JSON`.
///
/// The modules stand below [`TREE`](crate::layout::TREE) at their final absolute paths; the bytecode
/// files go below [`OUT`](crate::layout::OUT) in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compile {
    /// The interpreter that the bytecode is for: an absolute path, or a name that is looked up on `PATH`.
    pub python: String,
    /// The folders to compile, with all below them: absolute paths in the final image.
    pub folders: Vec<String>,
}
