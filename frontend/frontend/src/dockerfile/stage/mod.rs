//! The stages of a Dockerfile: their file systems, what ran in them, and what is known of their files.

pub(super) mod files;
pub(super) mod history;
pub(super) mod lists;
pub(super) mod ownership;
pub(super) mod place;
pub(super) mod project;
pub(super) mod scripts;
pub(super) mod version;
