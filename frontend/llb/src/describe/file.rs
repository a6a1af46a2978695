use buildkit_proto::pb;
use buildkit_proto::pb::file_action::Action;
use buildkit_proto::pb::user_opt::User;

use super::text::{Shown, Text};
use crate::vertex::digest;

pub(super) fn describe(text: &mut Text, file: &pb::FileOp, inputs: &Shown) {
    let pb::FileOp { actions } = file;
    for (position, action) in actions.iter().enumerate() {
        let pb::FileAction { input, secondary_input, output, action } = action;
        let output = if *output == -1 { String::new() } else { format!(", output {output}") };
        text.fact(&format!("action {position}"), format_args!("on {}{output}", tree(*input, inputs)));
        match action {
            Some(Action::Copy(copy)) => describe_copy(text, copy, &tree(*secondary_input, inputs), inputs),
            Some(Action::Mkfile(pb::FileActionMkFile { path, mode, data, owner, timestamp })) => {
                text.fact("mkfile", path);
                describe_attributes(text, Some(*mode), owner.as_ref(), *timestamp, inputs);
                describe_data(text, data);
            }
            Some(Action::Mkdir(pb::FileActionMkDir { path, mode, make_parents, owner, timestamp })) => {
                text.fact("mkdir", format_args!("{path}{}", flags(&[(*make_parents, "with parents")])));
                describe_attributes(text, Some(*mode), owner.as_ref(), *timestamp, inputs);
            }
            Some(Action::Rm(pb::FileActionRm { path, allow_not_found, allow_wildcard })) => {
                let flags = flags(&[(*allow_not_found, "may be missing"), (*allow_wildcard, "wildcard")]);
                text.fact("rm", format_args!("{path}{flags}"));
            }
            Some(Action::Symlink(pb::FileActionSymlink { oldpath, newpath, owner, timestamp })) => {
                text.fact("symlink", format_args!("{newpath} -> {oldpath}"));
                describe_attributes(text, None, owner.as_ref(), *timestamp, inputs);
            }
            None => text.fact("unknown", "action"),
        }
    }
}

/// Positions beyond the inputs are results of earlier actions.
fn tree(position: i64, inputs: &Shown) -> String {
    match usize::try_from(position).ok().and_then(|position| position.checked_sub(inputs.len())) {
        Some(action) => format!("action {action}"),
        None => inputs.get(position).to_owned(),
    }
}

fn describe_copy(text: &mut Text, copy: &pb::FileActionCopy, source: &str, inputs: &Shown) {
    let pb::FileActionCopy {
        src,
        dest,
        owner,
        mode,
        follow_symlink,
        dir_copy_contents,
        attempt_unpack_docker_compatibility,
        create_dest_path,
        allow_wildcard,
        allow_empty_wildcard,
        timestamp,
        include_patterns,
        exclude_patterns,
        always_replace_existing_dest_paths,
        mode_str,
        required_paths,
    } = copy;
    let flags = flags(&[
        (*follow_symlink, "follow link"),
        (*dir_copy_contents, "contents"),
        (*attempt_unpack_docker_compatibility, "unpack"),
        (*create_dest_path, "with parents"),
        (*allow_wildcard, "wildcard"),
        (*allow_empty_wildcard, "or nothing"),
        (*always_replace_existing_dest_paths, "replace"),
    ]);
    text.fact("copy", format_args!("{source} {src} -> {dest}{flags}"));
    describe_attributes(text, Some(*mode).filter(|mode| *mode != -1), owner.as_ref(), *timestamp, inputs);
    text.optional("mode", mode_str);
    text.each("include", include_patterns);
    text.each("exclude", exclude_patterns);
    text.each("required", required_paths);
}

fn describe_attributes(
    text: &mut Text,
    mode: Option<i32>,
    owner: Option<&pb::ChownOpt>,
    timestamp: i64,
    inputs: &Shown,
) {
    text.each("mode", mode.map(|mode| format!("{mode:o}")));
    if let Some(pb::ChownOpt { user, group }) = owner {
        let id = |id: &Option<pb::UserOpt>| match id.as_ref().and_then(|pb::UserOpt { user }| user.as_ref()) {
            Some(User::ById(number)) => number.to_string(),
            Some(User::ByName(pb::NamedUserOpt { name, input })) => {
                format!("{name} of {}", inputs.get(*input))
            }
            None => "kept".to_owned(),
        };
        text.fact("owner", format_args!("{}:{}", id(user), id(group)));
    }
    if timestamp != -1 {
        text.fact("timestamp", timestamp);
    }
}

/// Text is shown, anything else by size and digest.
fn describe_data(text: &mut Text, data: &[u8]) {
    match std::str::from_utf8(data) {
        Ok("") => {}
        Ok(content) => text.block(content),
        Err(_) => text.fact("data", format_args!("{} bytes, {}", data.len(), digest(data))),
    }
}

fn flags(flags: &[(bool, &str)]) -> String {
    flags.iter().filter(|(set, _)| *set).map(|(_, name)| format!(", {name}")).collect()
}
