//! What the end-to-end tests share: a Docker client, readers of images and of BuildKit's progress, a local index of
//! real wheels, and the examples.

pub mod compare;
pub mod docker;
pub mod dockerfiles;
pub mod examples;
pub mod git;
pub mod image;
pub mod index;
pub mod locked;
pub mod poetry;
pub mod progress;
pub mod ready;
pub mod real;
pub mod side;
pub mod tls;
pub mod wheels;

/// Says something that is shown even if the test passes.
pub fn say(text: &str) {
    use std::io::Write;
    // If nobody listens, there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}
