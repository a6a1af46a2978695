//! What is measured, in the order in which it happens to a project.

use serde::{Deserialize, Serialize};

use crate::{contender::Contender, project::Change};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    Cold,
    Unchanged,
    Code,
    Metadata,
    Small,
    Large,
    Added,
    Removed,
    NoCache,
    PushCold,
    PushSmall,
    PushLarge,
    FreshUnchanged,
    FreshCode,
    FreshSmall,
    SecondProject,
    OnePlatform,
    TwoPlatforms,
}

use Scenario::*;

/// On a developer's machine: the image ends in the engine's store.
pub const LOCAL: [Scenario; 9] = [Cold, Unchanged, Code, Metadata, Small, Large, Added, Removed, NoCache];
/// In CI: the image ends in a registry, and so does the cache.
pub const CI: [Scenario; 6] = [PushCold, PushSmall, PushLarge, FreshUnchanged, FreshCode, FreshSmall];
pub const PLATFORMS: [Scenario; 2] = [OnePlatform, TwoPlatforms];

impl Scenario {
    pub const ALL: [Self; 18] = [
        Cold,
        Unchanged,
        Code,
        Metadata,
        Small,
        Large,
        Added,
        Removed,
        NoCache,
        PushCold,
        PushSmall,
        PushLarge,
        FreshUnchanged,
        FreshCode,
        FreshSmall,
        SecondProject,
        OnePlatform,
        TwoPlatforms,
    ];

    /// As results and arguments have it.
    pub fn key(self) -> String {
        serde_json::json!(self).as_str().unwrap_or_default().to_owned()
    }

    /// As tables have it.
    pub fn title(self) -> &'static str {
        match self {
            Cold => "cold builder",
            Unchanged => "nothing changed",
            Code => "a file of the application changed",
            Metadata => "version and linter setting in pyproject.toml changed",
            Small => "one small pure package bumped",
            Large => "one large compiled package bumped",
            Added => "one package added",
            Removed => "one package removed",
            NoCache => "`--no-cache`",
            PushCold => "cold builder, image and cache (`mode=max`) pushed",
            PushSmall => "one small package bumped, built and pushed",
            PushLarge => "one large package bumped, built and pushed",
            FreshUnchanged => "fresh builder, cache from the registry, nothing changed, pushed",
            FreshCode => "fresh builder, cache from the registry, a file of the application changed, pushed",
            FreshSmall => "fresh builder, cache from the registry, one small package bumped, pushed",
            SecondProject => "a second project that shares packages with the first",
            OnePlatform => "cold builder, linux/amd64",
            TwoPlatforms => "cold builder, linux/amd64 and linux/arm64",
        }
    }

    /// What is changed in the project before it.
    pub fn change(self) -> Option<Change> {
        match self {
            Code | FreshCode => Some(Change::Code),
            Metadata => Some(Change::Metadata),
            Small | PushSmall | FreshSmall => Some(Change::Small),
            Large | PushLarge => Some(Change::Large),
            Added => Some(Change::Added),
            Removed => Some(Change::Removed),
            _ => None,
        }
    }

    /// Those who install everything again after each change of the lock are measured for one such change.
    pub fn is_for(self, contender: Contender) -> bool {
        match self {
            Large | Added | Removed | NoCache | PushLarge => matches!(contender, Contender::Uv | Contender::Ours),
            SecondProject => matches!(contender, Contender::Uv | Contender::Ours),
            OnePlatform | TwoPlatforms => contender == Contender::Ours,
            _ => true,
        }
    }
}
