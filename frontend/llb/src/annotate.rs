use buildkit_proto::pb;

use crate::source_map::Location;
use crate::{Lines, SourceFile};

/// What a vertex carries beside its op.
#[derive(Debug, Clone, Default)]
pub struct Annotations {
    pub(crate) metadata: pb::OpMetadata,
    pub(crate) locations: Vec<Location>,
}

impl Annotations {
    /// Records that the op needs a capability.
    pub(crate) fn need(&mut self, id: &str) {
        self.metadata.caps.insert(id.to_owned(), true);
    }
}

/// Where an op's builder keeps its [`Annotations`].
pub trait Annotated {
    fn annotations_mut(&mut self) -> &mut Annotations;
}

/// What every op can be given beside its content: names and hints.
///
/// Nothing of it is part of a vertex's identity. If a graph holds two equal vertices with different
/// annotations, they become one: `ignore_cache` holds if either has it, descriptions, capabilities and
/// places are united, and where they contradict each other, the vertex that is reached first wins,
/// going through the inputs of every op in their order, inputs before users.
pub trait Annotate: Annotated + Sized {
    /// The name that users see in the progress display.
    fn name(self, name: impl Into<String>) -> Self {
        self.description(CUSTOM_NAME, name)
    }

    /// A further text under a key of its own.
    fn description(mut self, key: impl Into<String>, text: impl Into<String>) -> Self {
        let metadata = &mut self.annotations_mut().metadata;
        metadata.description.insert(key.into(), text.into());
        self
    }

    /// The line of the progress display that the vertex belongs to.
    fn progress_group(mut self, group: ProgressGroup) -> Self {
        self.annotations_mut().metadata.progress_group = Some(group.0);
        self
    }

    /// Run the vertex although its result is cached. An exec finds its cache mounts emptied then.
    fn ignore_cache(mut self) -> Self {
        self.annotations_mut().metadata.ignore_cache = true;
        self
    }

    /// Whether the result goes into exported caches; without this call the daemon decides.
    fn export_cache(mut self, export: bool) -> Self {
        self.annotations_mut().metadata.export_cache = Some(pb::ExportCache { value: export });
        self
    }

    /// Lines of the user's file that the vertex comes from. Shown if the vertex fails.
    fn location<L: Into<Lines>>(mut self, file: &SourceFile, lines: impl IntoIterator<Item = L>) -> Self {
        self.annotations_mut().locations.push(Location {
            file: file.clone(),
            ranges: lines.into_iter().map(|lines| lines.into().into()).collect(),
        });
        self
    }
}

impl<T: Annotated> Annotate for T {}

/// The key of [`Annotate::name`] among the descriptions.
pub(crate) const CUSTOM_NAME: &str = "llb.customname";

/// A line of the progress display that stands for several vertices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressGroup(pb::ProgressGroup);

impl ProgressGroup {
    /// Vertices with the same id belong together; `name` is the text of their line.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self(pb::ProgressGroup { id: id.into(), name: name.into(), weak: false })
    }

    /// The line stays hidden as long as only weak members have started.
    pub fn weak(mut self) -> Self {
        self.0.weak = true;
        self
    }
}

/// Adds what is known about an equal vertex that was reached later.
pub(crate) fn unite(metadata: &mut pb::OpMetadata, later: &pb::OpMetadata) {
    let pb::OpMetadata { ignore_cache, description, export_cache, caps, progress_group, linux_resources } = later;
    metadata.ignore_cache |= ignore_cache;
    for (key, text) in description {
        metadata.description.entry(key.clone()).or_insert_with(|| text.clone());
    }
    metadata.export_cache = metadata.export_cache.or(*export_cache);
    for (id, needed) in caps {
        metadata.caps.entry(id.clone()).or_insert(*needed);
    }
    if metadata.progress_group.is_none() {
        metadata.progress_group.clone_from(progress_group);
    }
    if metadata.linux_resources.is_none() {
        metadata.linux_resources.clone_from(linux_resources);
    }
}
