//! The frontend: reads a Poetry project through BuildKit's gateway and answers with a build graph.
//!
//! The way of the data, each arrow a module: request → project (crate `poetry-lock`) → interpreter → plan → graph →
//! result. [`serve`] is the way from end to end; [`cli`] goes as far as the plan, without a daemon.

pub mod calls;
pub mod cli;
pub mod context;
pub mod dockerfile;
pub mod dockerignore;
pub mod error;
pub mod gateway;
pub mod glob;
pub mod graph;
pub mod image;
pub mod index;
pub mod interpreter;
pub mod layout;
pub mod plan;
pub mod platform;
pub mod python;
pub mod reference;
pub mod report;
pub mod request;
pub mod serve;
pub mod settings;
pub mod source;
pub mod start;
