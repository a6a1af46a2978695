//! Names of capabilities of LLB, as a daemon lists them in its answer to `Ping`.
//!
//! Only names that daemons register are here. BuildKit has two more constants, for symbolic modes of
//! copies and for the removal of mount stubs; no daemon accepts them.

/// Images from registries.
pub const SOURCE_IMAGE: &str = "source.image";
/// Images that must be pulled anew.
pub const SOURCE_IMAGE_RESOLVE_MODE: &str = "source.image.resolvemode";
/// Images from OCI layouts (BuildKit 0.11).
pub const SOURCE_OCI_LAYOUT: &str = "source.ocilayout";
/// Folders of the client.
pub const SOURCE_LOCAL: &str = "source.local";
/// Folders of one session.
pub const SOURCE_LOCAL_SESSION_ID: &str = "source.local.sessionid";
/// Only some files of a folder, by pattern.
pub const SOURCE_LOCAL_INCLUDE_PATTERNS: &str = "source.local.includepatterns";
/// All but some files of a folder, by pattern.
pub const SOURCE_LOCAL_EXCLUDE_PATTERNS: &str = "source.local.excludepatterns";
/// Only some files of a folder, by path, with what their links point to.
pub const SOURCE_LOCAL_FOLLOW_PATHS: &str = "source.local.followpaths";
/// A hint which earlier transfers to build on.
pub const SOURCE_LOCAL_SHARED_KEY_HINT: &str = "source.local.sharedkeyhint";
/// How changed files are found (BuildKit 0.9).
pub const SOURCE_LOCAL_DIFFER: &str = "source.local.differ";
/// Git repositories.
pub const SOURCE_GIT: &str = "source.git";
/// Git repositories with their `.git` folder.
pub const SOURCE_GIT_KEEP_DIR: &str = "source.git.keepgitdir";
/// Git repositories by their whole URL.
pub const SOURCE_GIT_FULL_URL: &str = "source.git.fullurl";
/// Git repositories over HTTP with credentials of one's own choice (BuildKit 0.8).
pub const SOURCE_GIT_HTTP_AUTH: &str = "source.git.httpauth";
/// Git repositories over SSH with known hosts (BuildKit 0.8).
pub const SOURCE_GIT_KNOWN_SSH_HOSTS: &str = "source.git.knownsshhosts";
/// Git repositories over SSH with the client's agent (BuildKit 0.8).
pub const SOURCE_GIT_MOUNT_SSH_SOCK: &str = "source.git.mountsshsock";
/// A folder of a git repository (BuildKit 0.9).
pub const SOURCE_GIT_SUBDIR: &str = "source.git.subdir";
/// Git repositories with a verified commit (BuildKit 0.22).
pub const SOURCE_GIT_CHECKSUM: &str = "source.git.checksum";
/// Git repositories without their submodules (BuildKit 0.24).
pub const SOURCE_GIT_SKIP_SUBMODULES: &str = "source.git.skipsubmodules";
/// Files over HTTP.
pub const SOURCE_HTTP: &str = "source.http";
/// Files over HTTP with a digest.
pub const SOURCE_HTTP_CHECKSUM: &str = "source.http.checksum";
/// Files over HTTP with permissions.
pub const SOURCE_HTTP_PERM: &str = "source.http.perm";
/// Files over HTTP with an owner. The spelling is BuildKit's.
pub const SOURCE_HTTP_UID_GID: &str = "soruce.http.uidgid";
/// Files over HTTP with credentials (BuildKit 0.21).
pub const SOURCE_HTTP_AUTH: &str = "source.http.auth";

/// Execs.
pub const EXEC_META_BASE: &str = "exec.meta.base";
/// A parent control group (BuildKit 0.10).
pub const EXEC_META_CGROUP_PARENT: &str = "exec.meta.cgroup.parent";
/// Another network than the default one.
pub const EXEC_META_NETWORK: &str = "exec.meta.network";
/// Proxies outside of the cache key.
pub const EXEC_META_PROXY: &str = "exec.meta.proxyenv";
/// Execs without limits (BuildKit 0.5).
pub const EXEC_META_SECURITY: &str = "exec.meta.security";
/// Resource limits (BuildKit 0.10).
pub const EXEC_META_ULIMIT: &str = "exec.meta.ulimit";
/// Bind mounts.
pub const EXEC_MOUNT_BIND: &str = "exec.mount.bind";
/// Writable bind mounts that are thrown away (BuildKit 0.6.4).
pub const EXEC_MOUNT_BIND_READWRITE_NO_OUTPUT: &str = "exec.mount.bind.readwrite-nooutput";
/// Cache mounts.
pub const EXEC_MOUNT_CACHE: &str = "exec.mount.cache";
/// Cache mounts with a sharing mode.
pub const EXEC_MOUNT_CACHE_SHARING: &str = "exec.mount.cache.sharing";
/// Mounts of a part of their input.
pub const EXEC_MOUNT_SELECTOR: &str = "exec.mount.selector";
/// Mounts in memory.
pub const EXEC_MOUNT_TMPFS: &str = "exec.mount.tmpfs";
/// Mounts in memory with a size (BuildKit 0.10).
pub const EXEC_MOUNT_TMPFS_SIZE: &str = "exec.mount.tmpfs.size";
/// Secrets as files.
pub const EXEC_MOUNT_SECRET: &str = "exec.mount.secret";
/// Sockets of SSH agents.
pub const EXEC_MOUNT_SSH: &str = "exec.mount.ssh";
/// Secrets as environment variables (BuildKit 0.10).
pub const EXEC_SECRET_ENV: &str = "exec.secretenv";
/// Exit codes that count as success (BuildKit 0.17).
pub const EXEC_VALID_EXIT_CODE: &str = "exec.validexitcode";

/// File ops (BuildKit 0.5).
pub const FILE_BASE: &str = "file.base";
/// Removal by pattern (BuildKit 0.7).
pub const FILE_RM_WILDCARD: &str = "file.rm.wildcard";
/// Copies with include and exclude patterns (BuildKit 0.9).
pub const FILE_COPY_INCLUDE_EXCLUDE_PATTERNS: &str = "file.copy.includeexcludepatterns";
/// Copies that put a file in the place of a folder, or the reverse (BuildKit 0.14).
pub const FILE_COPY_ALWAYS_REPLACE: &str = "file.copy.alwaysreplaceexistingdestpaths";
/// Copies that fail if a path is missing (BuildKit 0.26).
pub const FILE_COPY_REQUIRED_PATHS: &str = "file.copy.requiredpaths";
/// Symbolic links (BuildKit 0.19).
pub const FILE_SYMLINK_CREATE: &str = "file.symlink.create";

/// Merges (BuildKit 0.10; not with every storage of Docker).
pub const MERGE_OP: &str = "mergeop";
/// Differences (BuildKit 0.10; not with every storage of Docker).
pub const DIFF_OP: &str = "diffop";

/// Filters on workers.
pub const CONSTRAINTS: &str = "constraints";
/// Platforms.
pub const PLATFORM: &str = "platform";
/// Vertices that run although their result is cached.
pub const META_IGNORE_CACHE: &str = "meta.ignorecache";
/// Names of vertices.
pub const META_DESCRIPTION: &str = "meta.description";
/// Vertices that are or are not exported with caches.
pub const META_EXPORT_CACHE: &str = "meta.exportcache";
