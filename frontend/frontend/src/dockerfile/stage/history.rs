//! What ran in a stage before a command.

use std::{collections::BTreeMap, rc::Rc};

use buildkit_llb::Output;

use crate::dockerfile::{
    graph::{Command, Step},
    programs::{Meaning, Provision},
    states::chain,
};

/// The steps of a graph by the digests of their vertices.
pub(in crate::dockerfile) type Steps = BTreeMap<String, Rc<Step>>;

/// The commands of a stage in front of one.
#[derive(Clone)]
pub(in crate::dockerfile) struct History {
    /// The steps of the stage, and of those that it goes on from.
    steps: Vec<Rc<Step>>,
    /// The step that the command is part of, and how many of its commands stand in front.
    own: Option<(Rc<Step>, usize)>,
}

impl History {
    /// What made a state of the original graph.
    pub(in crate::dockerfile) fn of(steps: &Steps, state: &Output) -> Self {
        let steps = chain(state).iter().filter_map(|vertex| steps.get(vertex.digest()).cloned()).collect();
        Self { steps, own: None }
    }

    /// What came before a command of a step.
    pub(in crate::dockerfile) fn before(steps: &Steps, step: &Rc<Step>, index: usize) -> Self {
        Self { own: Some((Rc::clone(step), index)), ..Self::of(steps, &step.root) }
    }

    /// The steps before, whole ones.
    pub(in crate::dockerfile) fn steps(&self) -> &[Rc<Step>] {
        &self.steps
    }

    /// The commands in their order, those that may not have run among them.
    pub(in crate::dockerfile) fn commands(&self) -> impl DoubleEndedIterator<Item = Command<'_>> {
        let earlier = self.steps.iter().flat_map(|step| step.commands());
        let own = self.own.iter().flat_map(|(step, count)| step.commands().take(*count));
        earlier.chain(own).collect::<Vec<_>>().into_iter()
    }

    /// What installed Poetry.
    pub(in crate::dockerfile) fn provisions(&self) -> Vec<Provision> {
        let provision = |command: Command<'_>| match command.meaning {
            Meaning::InstallsPoetry(provision) => Some(provision.clone()),
            _ => None,
        };
        self.commands().filter_map(provision).collect()
    }
}
