use buildkit_proto::pb;

use super::text::{Shown, Text};

pub(super) fn describe(text: &mut Text, exec: &pb::ExecOp, inputs: &Shown) {
    let pb::ExecOp { meta, mounts, network, security, secretenv, cdi_devices } = exec;
    if let Some(meta) = meta {
        describe_meta(text, meta);
    }
    match pb::NetMode::try_from(*network) {
        Ok(pb::NetMode::Unset) => {}
        Ok(mode) => text.fact("network", mode.as_str_name()),
        Err(_) => text.fact("network", network),
    }
    match pb::SecurityMode::try_from(*security) {
        Ok(pb::SecurityMode::Sandbox) => {}
        Ok(mode) => text.fact("security", mode.as_str_name()),
        Err(_) => text.fact("security", security),
    }
    for pb::SecretEnv { id, name, optional } in secretenv {
        text.fact("secret env", format_args!("{name} = {id}{}", optional_mark(*optional)));
    }
    for pb::CdiDevice { name, optional } in cdi_devices {
        text.fact("device", format_args!("{name}{}", optional_mark(*optional)));
    }
    for mount in mounts {
        text.fact("mount", show_mount(mount, inputs));
    }
}

fn describe_meta(text: &mut Text, meta: &pb::Meta) {
    let pb::Meta {
        args,
        env,
        cwd,
        user,
        proxy_env,
        extra_hosts,
        hostname,
        ulimit,
        cgroup_parent,
        remove_mount_stubs_recursive,
        valid_exit_codes,
    } = meta;
    text.each("arg", args);
    text.each("env", env);
    text.optional("cwd", cwd);
    text.optional("user", user);
    text.optional("hostname", hostname);
    if let Some(proxy) = proxy_env {
        let pb::ProxyEnv { http_proxy, https_proxy, ftp_proxy, no_proxy, all_proxy } = proxy;
        text.optional("http_proxy", http_proxy);
        text.optional("https_proxy", https_proxy);
        text.optional("ftp_proxy", ftp_proxy);
        text.optional("no_proxy", no_proxy);
        text.optional("all_proxy", all_proxy);
    }
    for pb::HostIp { host, ip } in extra_hosts {
        text.fact("host", format_args!("{host} = {ip}"));
    }
    for pb::Ulimit { name, soft, hard } in ulimit {
        text.fact("ulimit", format_args!("{name} = {soft}, {hard}"));
    }
    text.optional("cgroup parent", cgroup_parent);
    if !remove_mount_stubs_recursive {
        text.fact("mount stubs", "kept");
    }
    text.each("valid exit code", valid_exit_codes);
}

/// `/dest <- #1 /selector, read-only`
fn show_mount(mount: &pb::Mount, inputs: &Shown) -> String {
    let pb::Mount {
        input,
        selector,
        dest,
        output,
        readonly,
        mount_type,
        tmpfs_opt,
        cache_opt,
        secret_opt,
        ssh_opt,
        result_id,
        content_cache,
    } = mount;
    let mut facts = Vec::new();
    match pb::MountType::try_from(*mount_type) {
        Ok(pb::MountType::Bind) => facts.push(inputs.get(*input).to_owned()),
        Ok(kind) if *input == -1 => facts.push(kind.as_str_name().to_lowercase()),
        Ok(kind) => facts.push(format!("{} {}", kind.as_str_name().to_lowercase(), inputs.get(*input))),
        Err(_) => facts.push(format!("type {mount_type} {}", inputs.get(*input))),
    }
    if let Some(pb::TmpfsOpt { size }) = tmpfs_opt {
        facts.push(format!("size {size}"));
    }
    if let Some(pb::CacheOpt { id, sharing }) = cache_opt {
        let sharing = pb::CacheSharingOpt::try_from(*sharing).map_or("?", |sharing| sharing.as_str_name());
        facts.push(format!("{} {id}", sharing.to_lowercase()));
    }
    if let Some(pb::SecretOpt { id, uid, gid, mode, optional }) = secret_opt {
        facts.push(format!("{id} {mode:o} {uid}:{gid}{}", optional_mark(*optional)));
    }
    if let Some(pb::SshOpt { id, uid, gid, mode, optional }) = ssh_opt {
        facts.push(format!("{id} {mode:o} {uid}:{gid}{}", optional_mark(*optional)));
    }
    if !selector.is_empty() {
        facts.push(format!("at {selector}"));
    }
    if !result_id.is_empty() {
        facts.push(format!("result {result_id}"));
    }
    if *readonly {
        facts.push("read-only".to_owned());
    }
    if *output != -1 {
        facts.push(format!("output {output}"));
    }
    if *content_cache != 0 {
        facts.push(format!("content cache {content_cache}"));
    }
    format!("{dest} <- {}", facts.join(", "))
}

fn optional_mark(optional: bool) -> &'static str {
    if optional { ", optional" } else { "" }
}
