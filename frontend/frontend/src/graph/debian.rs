//! The nodes that install Debian packages into an image.

use buildkit_llb::{Annotate, CacheMount, Error, Exec, Mount, Output, Sharing};
use install_request::{DEFAULT_PATH, EPOCH};

use super::Materials;

/// An image with Debian packages, which are its own if there are none. `setting` is where the user named them.
pub(super) fn install(
    packages: &[String],
    image: &Output,
    setting: &str,
    materials: &Materials<'_>,
) -> Result<Output, Error> {
    if packages.is_empty() {
        return Ok(image.clone());
    }
    let listed = packages.join(" ");
    let workshop = materials.workshop;
    let exec = Exec::new(["/bin/sh", "-c", &script(&listed, setting)], materials.target_platform)
        .root(image)
        .env("PATH", DEFAULT_PATH)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .mount(cache(materials, "/var/cache/apt", "archives"))
        .mount(cache(materials, "/var/lib/apt/lists", "lists"))
        .mount(Mount::tmpfs("/tmp"))
        .name(format!("[{}{setting}] install {listed}", materials.prefix));
    workshop.marked(workshop.fetching(exec)).build()?.output("/")
}

fn cache(materials: &Materials<'_>, dest: &str, kind: &str) -> CacheMount {
    let platform = materials.target_platform.to_string().replace('/', "-");
    materials.workshop.cache(dest, &format!("apt/{kind}-{platform}")).sharing(Sharing::Locked)
}

/// Installs, and leaves nothing that tells when: logs and caches go, and what was written gets a fixed time.
fn script(packages: &str, setting: &str) -> String {
    format!(
        "set -e
command -v apt-get >/dev/null || {{
  echo 'error: the base image has no apt-get, so `{setting}` of [tool.poetry-buildkit] cannot be used with it' >&2
  echo 'help: take an image of Debian or Ubuntu, or take `{setting}` out and use an image that holds what is needed' >&2
  exit 1
}}
rm -f /etc/apt/apt.conf.d/docker-clean
touch /tmp/before
apt-get update
apt-get install -y --no-install-recommends {packages} || {{
  echo 'error: apt-get could not install {packages}' >&2
  echo 'help: see above; `{setting}` of [tool.poetry-buildkit] takes names of packages of the image'\"'\"'s own release' >&2
  exit 1
}}
rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
find / -xdev -newer /tmp/before -exec touch -h -d @{EPOCH} {{}} +
"
    )
}
