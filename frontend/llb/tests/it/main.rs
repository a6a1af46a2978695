//! Tests of whole graphs.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod caps;
mod definition;
mod describe;
mod determinism;
mod golden;
mod properties;
mod sample;
mod splice;
mod validation;
