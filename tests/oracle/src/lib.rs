//! What the real thing did, kept from one run of the tests to the next.
//!
//! Real Poetry is the judge of the end-to-end tests, and it is slow. So what it did is recorded ([`store`]), under everything
//! that went into it ([`inputs`]): if any of that changes, no record fits, and it is asked again ([`known`]). Some of it is asked again
//! on every run, whether a record fits or not ([`sample`]), so that within [`sample::DAYS`] all of it is. And where ours and a record
//! differ, it is asked again before that counts ([`judge`]): real Poetry does not do the same in every run.
//!
//! Nothing here knows of Docker, and all of it is tested without.

pub mod inputs;
pub mod judge;
pub mod known;
pub mod sample;
pub mod store;

/// A SHA-256 digest in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
