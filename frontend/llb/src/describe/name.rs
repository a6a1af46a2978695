use buildkit_proto::pb;
use buildkit_proto::pb::file_action::Action;
use buildkit_proto::pb::op::Op as Kind;
use prost::Message as _;

use crate::annotate::CUSTOM_NAME;

/// The name of a vertex as users see it, or nearly so where it has no name of its own.
pub(crate) fn display_name(bytes: &[u8], metadata: &pb::OpMetadata) -> String {
    if let Some(name) = metadata.description.get(CUSTOM_NAME) {
        return name.clone();
    }
    let kind = pb::Op::decode(bytes).ok().and_then(|op| op.op);
    match kind {
        Some(Kind::Exec(exec)) => exec.meta.unwrap_or_default().args.join(" "),
        Some(Kind::Source(source)) => source.identifier,
        Some(Kind::File(file)) => {
            let names: Vec<String> = file.actions.iter().filter_map(action_name).collect();
            names.join(", ")
        }
        Some(Kind::Build(_)) => "build".to_owned(),
        Some(Kind::Merge(_)) => "merge".to_owned(),
        Some(Kind::Diff(_)) => "diff".to_owned(),
        Some(Kind::Passthrough(passthrough)) => format!("passthrough {}", passthrough.id),
        None => "the result".to_owned(),
    }
}

fn action_name(action: &pb::FileAction) -> Option<String> {
    action.action.as_ref().map(|action| match action {
        Action::Copy(copy) => format!("copy {} {}", copy.src, copy.dest),
        Action::Mkfile(mkfile) => format!("mkfile {}", mkfile.path),
        Action::Mkdir(mkdir) => format!("mkdir {}", mkdir.path),
        Action::Rm(rm) => format!("rm {}", rm.path),
        Action::Symlink(symlink) => format!("symlink {} -> {}", symlink.newpath, symlink.oldpath),
    })
}
