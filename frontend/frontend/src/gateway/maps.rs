//! Maps whose values are messages.
//!
//! prost encodes an entry whose value is an empty message without that value, as the specification of Protocol Buffers allows. A daemon
//! that decodes with vtprotobuf has a null pointer then, and ends when it follows it. So no map that is sent has an empty message.

use buildkit_proto::{
    gateway::{self, result},
    pb,
};

/// Readies a definition that came from the daemon for being sent back: it keeps its meaning.
pub(super) fn tidy(definition: &mut pb::Definition) {
    let Some(source) = &mut definition.source else {
        // That of an empty file system, which may stand in a map itself.
        definition.source = Some(pb::Source::default());
        return;
    };
    source.locations.retain(|_, places| !places.locations.is_empty());
    source.infos.iter_mut().filter_map(|info| info.definition.as_mut()).for_each(tidy);
}

/// Readies a result. The reference of an empty file system has no identifier; a daemon looks at nothing else of it.
pub(super) fn fill(result: &mut gateway::Result) {
    result.attestations.retain(|_, attestations| !attestations.attestation.is_empty());
    if let Some(result::Result::Refs(map)) = &mut result.result {
        let empty = map.refs.values_mut().filter(|reference| **reference == gateway::Ref::default());
        empty.for_each(|reference| reference.def = Some(pb::Definition::default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_map_that_is_sent_holds_an_empty_message() {
        let places = |count| pb::Locations { locations: vec![pb::Location::default(); count] };
        let source = |infos| pb::Source { locations: [("a".into(), places(0)), ("b".into(), places(1))].into(), infos };
        let definition = |infos| pb::Definition { source: Some(source(infos)), ..Default::default() };
        let mut outer =
            definition(vec![pb::SourceInfo { definition: Some(definition(Vec::new())), ..Default::default() }]);
        tidy(&mut outer);
        let outer = outer.source.unwrap();
        let inner = outer.infos[0].definition.clone().unwrap().source.unwrap();
        for source in [&outer, &inner] {
            assert_eq!(source.locations.keys().collect::<Vec<_>>(), ["b"]);
        }

        let mut empty = pb::Definition::default();
        tidy(&mut empty);
        assert_ne!(empty, pb::Definition::default());

        let refs = gateway::RefMap { refs: [("linux/amd64".into(), gateway::Ref::default())].into() };
        let mut result = gateway::Result {
            result: Some(result::Result::Refs(refs)),
            attestations: [("linux/amd64".into(), gateway::Attestations::default())].into(),
            ..Default::default()
        };
        fill(&mut result);
        assert!(result.attestations.is_empty());
        let Some(result::Result::Refs(map)) = result.result else { panic!() };
        assert_ne!(map.refs["linux/amd64"], gateway::Ref::default());
        assert_eq!(map.refs["linux/amd64"].id, "");
    }
}
