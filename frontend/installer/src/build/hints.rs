//! What a failed build probably lacked.

/// Parts of a compiler's or build tool's output, and the Debian packages that would help.
const PACKAGES: [(&[&str], &str); 31] = [
    (&["pg_config", "libpq-fe.h"], "libpq-dev"),
    (&["mysql_config", "mysql.h", "mysqlclient.pc", "mariadb_config"], "default-libmysqlclient-dev pkg-config"),
    (&["ffi.h", "libffi"], "libffi-dev"),
    (&["openssl/", "libssl"], "libssl-dev"),
    (&["xslt-config", "libxslt"], "libxslt1-dev"),
    (&["libxml/", "xml2-config", "libxml2"], "libxml2-dev"),
    (&["xmlsec1"], "libxmlsec1-dev pkg-config"),
    (&["jpeglib.h", "headers or library files could not be found for jpeg"], "libjpeg-dev zlib1g-dev"),
    (&["zlib.h"], "zlib1g-dev"),
    (&["bzlib.h"], "libbz2-dev"),
    (&["lzma.h"], "liblzma-dev"),
    (&["sqlite3.h"], "libsqlite3-dev"),
    (&["krb5-config", "gssapi"], "libkrb5-dev"),
    (&["sasl/sasl.h", "sasl.h"], "libsasl2-dev"),
    (&["lber.h", "ldap.h"], "libldap2-dev libsasl2-dev"),
    (&["snappy-c.h", "snappy.h"], "libsnappy-dev"),
    (&["cairo.h", "Dependency \"cairo\" not found"], "libcairo2-dev pkg-config"),
    (&["gdal-config"], "libgdal-dev"),
    (&["geos_c.h", "geos-config"], "libgeos-dev"),
    (&["proj.h"], "libproj-dev"),
    (&["hdf5.h"], "libhdf5-dev"),
    (&["librdkafka"], "librdkafka-dev"),
    (&["sql.h", "sqlext.h"], "unixodbc-dev"),
    (&["yaml.h"], "libyaml-dev"),
    (&["curl-config", "curl/curl.h"], "libcurl4-openssl-dev libssl-dev"),
    (&["gmp.h"], "libgmp-dev"),
    (&["portaudio.h"], "portaudio19-dev"),
    (
        &[
            "can't find Rust compiler",
            "cargo: not found",
            "'cargo'",
            "Cargo, the Rust package manager, is not installed",
        ],
        "cargo rustc",
    ),
    (&["CMake must be installed", "'cmake'", "cmake: not found"], "cmake"),
    (&["pkg-config: not found", "'pkg-config'"], "pkg-config"),
    (
        &["command 'gcc' failed: No such file", "gcc: not found", "'gcc'", "'cc'", "'g++'", "Unknown compiler(s)"],
        "build-essential",
    ),
];

/// What hints at a builder without Python's own headers.
const HEADERS: &str = "Python.h";

/// What to do about a build with this output, if it can be told.
pub(super) fn hint(package: &str, output: &str) -> Option<String> {
    let complaints: Vec<&str> = output.lines().filter(|line| complains(line)).collect();
    if complaints.iter().any(|line| line.contains(HEADERS)) {
        return Some(
            "the builder image lacks Python's headers: set `builder` of [tool.poetry-buildkit] to a full image of the same \
             Python, e.g. python:3.12"
                .to_owned(),
        );
    }
    let found =
        PACKAGES.iter().find(|(signs, _)| signs.iter().any(|sign| complaints.iter().any(|line| line.contains(sign))));
    let packages = found
        .map(|(_, packages)| packages.split(' ').map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "))?;
    Some(format!(
        "the builder image seems to lack something: set `build-apt.{package} = [{packages}]` in [tool.poetry-buildkit]"
    ))
}

/// Whether a line says that something is missing.
fn complains(line: &str) -> bool {
    const SIGNS: [&str; 12] = [
        "No such file",
        "not found",
        "cannot find",
        "could not find",
        "couldn't find",
        "could not be found",
        "can't find",
        "not installed",
        "must be installed",
        "is required",
        "Unknown compiler",
        "Error:",
    ];
    let lower = line.to_ascii_lowercase();
    SIGNS.iter().any(|sign| lower.contains(&sign.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_complaints_name_packages() {
        for (output, packages) in [
            ("Error: pg_config executable not found.", "[\"libpq-dev\"]"),
            ("a.c:3:10: fatal error: ffi.h: No such file or directory", "[\"libffi-dev\"]"),
            ("error: command 'gcc' failed: No such file or directory", "[\"build-essential\"]"),
            ("lber.h: No such file", "[\"libldap2-dev\", \"libsasl2-dev\"]"),
        ] {
            let hint = hint("x", output).unwrap();
            assert!(hint.contains(&format!("build-apt.x = {packages}")), "{hint}");
        }
        assert!(hint("x", "fatal error: Python.h: No such file or directory").unwrap().contains("set `builder`"));
        assert_eq!(hint("x", "compiling with 'gcc' and zlib.h\nTypeError"), None);
    }
}
