//! What the end-to-end tests share: a Docker client, readers of images and of BuildKit's progress, a local index of
//! real wheels, and the examples.

pub mod docker;
pub mod examples;
pub mod git;
pub mod image;
pub mod index;
pub mod poetry;
pub mod progress;
pub mod ready;
pub mod tls;
pub mod wheels;
