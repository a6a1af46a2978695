//! A stand-in for a daemon, over file systems in memory, for tests of what is decided.
//!
//! It does what ops on files say. Processes it does not run: [`programs`] tells what those leave that the tests' Dockerfiles run, so
//! far as it matters. What really becomes of a Dockerfile is tested on a real daemon.

mod programs;
pub(crate) mod tree;

use std::{cell::RefCell, collections::BTreeMap};

use buildkit_llb::Output;
use buildkit_proto::{
    gateway as proto, pb,
    pb::{file_action::Action, op::Op},
};
use install_request::layout;

use crate::gateway::{Answer, Bridge, Error, Ref, Stat};
use tree::Tree;

/// The daemon.
pub(crate) struct Fake {
    /// The build context.
    pub(crate) context: Tree,
    /// Further images, by what their references begin with.
    pub(crate) images: BTreeMap<String, Tree>,
    /// What the built-in Dockerfile frontend answers.
    pub(crate) answer: Result<proto::Result, tonic::Status>,
    /// The warnings that it was given: the line, the text, and what can be done.
    pub(crate) warnings: RefCell<Vec<proto::WarnRequest>>,
    /// What a script has in it that fails.
    pub(crate) failing: Option<&'static str>,
    solved: RefCell<Vec<Tree>>,
}

impl Fake {
    pub(crate) fn new(context: Tree, answer: Result<proto::Result, tonic::Status>) -> Self {
        Self {
            context,
            images: BTreeMap::new(),
            answer,
            warnings: RefCell::default(),
            failing: None,
            solved: RefCell::default(),
        }
    }

    /// How often it was asked for a file system.
    pub(crate) fn solves(&self) -> usize {
        self.solved.borrow().len()
    }

    /// Whether a process that an output depends on fails.
    fn fails(&self, output: &Output) -> bool {
        let Some(failing) = self.failing else { return false };
        let runs = |op: pb::Op| match op.op {
            Some(Op::Exec(exec)) => exec.meta.is_some_and(|meta| meta.args.iter().any(|word| word.contains(failing))),
            _ => false,
        };
        output.vertices().iter().any(|vertex| runs(vertex.op()))
    }

    /// The file system that an output is.
    pub(crate) fn tree(&self, output: &Output) -> Tree {
        let mut made: BTreeMap<(String, i64), Tree> = BTreeMap::new();
        for vertex in output.vertices() {
            let op = vertex.op();
            let inputs: Vec<Tree> = vertex.inputs().iter().map(|input| of(&made, input)).collect();
            let outputs = match op.op {
                Some(Op::Source(source)) => vec![(0, self.source(&source.identifier))],
                Some(Op::File(file)) => files(&file, &inputs),
                Some(Op::Exec(exec)) => process(&exec, &inputs),
                Some(Op::Merge(_)) => {
                    let mut all = Tree::default();
                    inputs.iter().for_each(|input| all.overlay(input));
                    vec![(0, all)]
                }
                Some(Op::Diff(diff)) => {
                    let at = |index: Option<i64>| {
                        let input = index.and_then(|index| inputs.get(usize::try_from(index).ok()?).cloned());
                        input.unwrap_or_default()
                    };
                    let (lower, upper) =
                        (at(diff.lower.map(|lower| lower.input)), at(diff.upper.map(|upper| upper.input)));
                    vec![(0, upper.difference(&lower))]
                }
                other => panic!("no such op is known here: {other:?}"),
            };
            made.extend(outputs.into_iter().map(|(index, tree)| ((vertex.digest().to_owned(), index), tree)));
        }
        of(&made, output)
    }

    fn source(&self, identifier: &str) -> Tree {
        if identifier.starts_with("local://") {
            return self.context.clone();
        }
        let known = self.images.iter().find(|(name, _)| identifier.contains(name.as_str()));
        match known {
            Some((_, tree)) => tree.clone(),
            None if identifier.contains("/python:3.11") => programs::python(),
            None => Tree::default(),
        }
    }

    fn solved(&self, reference: &Ref) -> Tree {
        self.solved.borrow()[reference.id.parse::<usize>().unwrap()].clone()
    }
}

fn of(made: &BTreeMap<(String, i64), Tree>, output: &Output) -> Tree {
    let Some((vertex, index)) = output.vertex() else { return Tree::default() };
    made.get(&(vertex.digest().to_owned(), index)).cloned().unwrap_or_default()
}

/// What a file op makes.
fn files(file: &pb::FileOp, inputs: &[Tree]) -> Vec<(i64, Tree)> {
    // Inputs of actions are those of the op, then the actions' own results.
    let mut trees: Vec<Tree> = inputs.to_vec();
    let mut outputs = Vec::new();
    for action in &file.actions {
        let at =
            |index: i64| usize::try_from(index).ok().and_then(|index| trees.get(index)).cloned().unwrap_or_default();
        let mut tree = at(action.input);
        match &action.action {
            Some(Action::Copy(copy)) => tree.copy(&at(action.secondary_input), copy),
            Some(Action::Mkfile(made)) => tree = tree.file(&made.path, made.data.clone()),
            Some(Action::Mkdir(made)) => tree = tree.folder(&made.path),
            Some(Action::Rm(removed)) => tree.remove(&removed.path),
            Some(Action::Symlink(made)) => tree = tree.link(&made.newpath, &made.oldpath),
            None => {}
        }
        if action.output >= 0 {
            outputs.push((action.output, tree.clone()));
        }
        trees.push(tree);
    }
    outputs
}

/// What a process leaves.
fn process(exec: &pb::ExecOp, inputs: &[Tree]) -> Vec<(i64, Tree)> {
    let begin = |mount: &pb::Mount| {
        let input = usize::try_from(mount.input).ok().and_then(|index| inputs.get(index));
        input.map(|tree| if mount.selector.is_empty() { tree.clone() } else { tree.below(&mount.selector) })
    };
    let left = |mount: &pb::Mount| {
        let mut tree = begin(mount).unwrap_or_default();
        match mount.dest.as_str() {
            "/" => programs::run(exec, &mut tree),
            layout::FACTS | layout::OUT => programs::probe(exec, &mount.dest, &mut tree),
            _ => {}
        }
        tree
    };
    exec.mounts.iter().filter(|mount| mount.output >= 0).map(|mount| (mount.output, left(mount))).collect()
}

fn absent(path: &str) -> Error {
    Error::Answer(format!("{path}: no such file or directory"))
}

impl Bridge for Fake {
    fn solve(&self, definition: pb::Definition) -> Answer<'_, Ref> {
        let output = Output::from_definition(&definition).expect("a graph");
        if self.fails(&output) {
            return Box::pin(async { Err(tonic::Status::unknown("exit code: 1").into()) });
        }
        let tree = self.tree(&output);
        let mut solved = self.solved.borrow_mut();
        solved.push(tree);
        let id = (solved.len() - 1).to_string();
        Box::pin(async move { Ok(Ref { id, def: Some(definition) }) })
    }

    fn stat<'a>(&'a self, result: &'a Ref, path: &'a str) -> Answer<'a, Option<Stat>> {
        Box::pin(async move { Ok(self.solved(result).stat(path)) })
    }

    fn read_file<'a>(&'a self, result: &'a Ref, path: &'a str) -> Answer<'a, Vec<u8>> {
        Box::pin(async move { self.solved(result).read(path).map(<[u8]>::to_vec).ok_or_else(|| absent(path)) })
    }

    fn entries<'a>(&'a self, result: &'a Ref, path: &'a str, include: &'a str) -> Answer<'a, Vec<Stat>> {
        Box::pin(async move {
            let mut entries = self.solved(result).entries(path).unwrap_or_default();
            entries.retain(|entry| include.is_empty() || crate::glob::matches(include, &entry.path));
            Ok(entries)
        })
    }

    fn delegate<'a>(
        &'a self,
        _: &'a str,
        _: BTreeMap<String, String>,
        _: BTreeMap<String, pb::Definition>,
    ) -> Answer<'a, proto::Result> {
        Box::pin(async move { Ok(self.answer.clone()?) })
    }

    fn inputs(&self) -> Answer<'_, BTreeMap<String, pb::Definition>> {
        Box::pin(async { Ok(BTreeMap::new()) })
    }

    fn warn(&self, warning: proto::WarnRequest) -> Answer<'_, ()> {
        self.warnings.borrow_mut().push(warning);
        Box::pin(async { Ok(()) })
    }
}
