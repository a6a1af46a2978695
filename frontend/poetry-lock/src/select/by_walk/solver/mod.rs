//! Version solving by conflict-driven search (the algorithm called PubGrub), which is what Poetry
//! does with the entries of a lock as the only candidates.
//!
//! As there are few candidates, a term is not a range of versions but the set of states of a
//! package that it allows, absence being one of them.

mod conflict;

use std::collections::BTreeSet;

use super::states::States;

/// A package, or a package with a set of extras, by its number.
pub(super) type Variable = usize;

/// What the solver needs to know of the packages.
pub(super) trait Candidates {
    /// What makes the search pointless.
    type Error;

    /// The number of locked entries of the variable's package.
    fn entries(&self, variable: Variable) -> usize;

    /// What installing an entry entails; `None` if it cannot be installed.
    fn demands(&mut self, variable: Variable, entry: usize) -> Result<Option<Vec<Demand>>, Self::Error>;

    /// The open variables are decided in the order of this key, then of their discovery.
    fn priority(&self, open: &Open) -> Priority;
}

/// The smaller, the sooner.
pub(super) type Priority = (bool, bool, std::cmp::Reverse<usize>, bool);

/// One package is installed in one of these states as a consequence of another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand {
    pub(super) variable: Variable,
    pub(super) states: States,
    pub(super) traits: Traits,
}

/// Properties of a demand that decide on the order of decisions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traits {
    /// The demand names the origin of the package.
    pub(super) direct: bool,
    /// The demand has a marker.
    pub(super) marked: bool,
}

/// A package that has to be installed and that no entry has been decided on for.
pub(super) struct Open {
    pub(super) variable: Variable,
    pub(super) entry: usize,
    pub(super) traits: Traits,
}

/// Why there is no solution.
#[derive(Debug)]
pub(super) enum Failure<E> {
    /// Demands exclude each other; they are among those on these variables.
    Conflict(Vec<Variable>),
    /// The candidates cannot be told.
    Candidates(E),
}

#[derive(Debug, Clone, Copy)]
struct Term {
    variable: Variable,
    states: States,
    traits: Traits,
}

/// A set of terms that cannot all hold.
#[derive(Debug, Clone)]
struct Incompatibility {
    terms: Vec<Term>,
    /// The variables of the facts that it was concluded from.
    involved: Vec<Variable>,
}

struct Assignment {
    term: Term,
    level: usize,
    /// The incompatibility that forced it; none for a decision.
    cause: Option<usize>,
}

/// What is known of one variable at the moment.
#[derive(Clone, Copy)]
struct Knowledge {
    states: States,
    traits: Traits,
    decided: bool,
}

enum Propagated {
    Nothing,
    Derived(Variable),
    Conflict,
}

struct Solver<'a, C> {
    candidates: &'a mut C,
    incompatibilities: Vec<Incompatibility>,
    /// For each variable the incompatibilities with a term on it, oldest first.
    by_variable: Vec<Vec<usize>>,
    assignments: Vec<Assignment>,
    known: Vec<Option<Knowledge>>,
    /// The variables that have to be installed, in the order of discovery.
    required: Vec<Variable>,
    level: usize,
}

/// A bound on the work, far above what any real lock needs.
const MAX_CONFLICTS: usize = 2_000;

/// Finds an entry for each package that has to be installed once entry 0 of `root` is.
pub(super) fn solve<C: Candidates>(
    root: Variable,
    candidates: &mut C,
) -> Result<Vec<(Variable, usize)>, Failure<C::Error>> {
    let mut solver = Solver {
        candidates,
        incompatibilities: Vec::new(),
        by_variable: Vec::new(),
        assignments: Vec::new(),
        known: Vec::new(),
        required: Vec::new(),
        level: 0,
    };
    solver.add(vec![Term { variable: root, states: States::ABSENT, traits: Traits::default() }], vec![root]);
    let mut conflicts = 0;
    let mut next = Some(root);
    while let Some(variable) = next {
        solver.propagate(variable, &mut conflicts).map_err(Failure::Conflict)?;
        next = solver.decide().map_err(Failure::Candidates)?;
    }
    let decided =
        |known: &Option<Knowledge>| known.filter(|known| known.decided).and_then(|known| known.states.first_entry());
    Ok(solver
        .required
        .iter()
        .filter_map(|variable| Some((*variable, decided(solver.known.get(*variable)?)?)))
        .collect())
}

impl<C: Candidates> Solver<'_, C> {
    /// Adds an incompatibility. Terms that always hold say nothing and are dropped.
    fn add(&mut self, mut terms: Vec<Term>, involved: Vec<Variable>) -> usize {
        terms.retain(|term| term.states != States::all(self.candidates.entries(term.variable)));
        let index = self.incompatibilities.len();
        for term in &terms {
            if self.by_variable.len() <= term.variable {
                self.by_variable.resize(term.variable + 1, Vec::new());
            }
            if let Some(list) = self.by_variable.get_mut(term.variable) {
                list.push(index);
            }
        }
        self.incompatibilities.push(Incompatibility { terms, involved });
        index
    }

    fn states(&self, variable: Variable) -> States {
        match self.known.get(variable) {
            Some(Some(known)) => known.states,
            _ => States::all(self.candidates.entries(variable)),
        }
    }

    fn propagate(&mut self, variable: Variable, conflicts: &mut usize) -> Result<(), Vec<Variable>> {
        let mut changed = vec![variable];
        while let Some(variable) = changed.pop() {
            // The newest first: conclusions from conflicts are more general than plain facts.
            let list = self.by_variable.get(variable).cloned().unwrap_or_default();
            for index in list.into_iter().rev() {
                match self.propagate_one(index) {
                    Propagated::Nothing => {}
                    Propagated::Derived(variable) => changed.push(variable),
                    Propagated::Conflict => {
                        *conflicts += 1;
                        let learnt = self.resolve(index, *conflicts)?;
                        changed.clear();
                        if let Propagated::Derived(variable) = self.propagate_one(learnt) {
                            changed.push(variable);
                        }
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// If all terms but one hold, the last one must not.
    fn propagate_one(&mut self, index: usize) -> Propagated {
        let Some(incompatibility) = self.incompatibilities.get(index) else {
            return Propagated::Nothing;
        };
        let mut open: Option<Term> = None;
        for term in &incompatibility.terms {
            let states = self.states(term.variable);
            if states.is_subset(term.states) {
                continue;
            }
            if states.intersect(term.states).is_empty() || open.is_some() {
                return Propagated::Nothing;
            }
            open = Some(*term);
        }
        let Some(term) = open else {
            return Propagated::Conflict;
        };
        let all = States::all(self.candidates.entries(term.variable));
        self.assign(Term { states: all.without(term.states), ..term }, Some(index));
        Propagated::Derived(term.variable)
    }

    fn assign(&mut self, term: Term, cause: Option<usize>) {
        self.assignments.push(Assignment { term, level: self.level, cause });
        self.register(term, cause.is_none());
    }

    fn register(&mut self, term: Term, decided: bool) {
        let before = self.states(term.variable);
        let states = before.intersect(term.states);
        if self.known.len() <= term.variable {
            self.known.resize(term.variable + 1, None);
        }
        let Some(slot) = self.known.get_mut(term.variable) else {
            return;
        };
        let required = before.excludes_absence();
        // What is first found to require the package speaks for it, or what names its origin.
        let traits = match slot {
            Some(known) if required && (known.traits.direct || !term.traits.direct) => known.traits,
            _ => term.traits,
        };
        let decided = decided || slot.is_some_and(|known| known.decided);
        *slot = Some(Knowledge { states, traits, decided });
        if !required && states.excludes_absence() {
            self.required.push(term.variable);
        }
    }

    fn backtrack(&mut self, level: usize) {
        let kept =
            self.assignments.iter().position(|assignment| assignment.level > level).unwrap_or(self.assignments.len());
        let undone: BTreeSet<Variable> =
            self.assignments.drain(kept..).map(|assignment| assignment.term.variable).collect();
        self.level = level;
        self.required.retain(|variable| !undone.contains(variable));
        for variable in &undone {
            if let Some(slot) = self.known.get_mut(*variable) {
                *slot = None;
            }
        }
        let again: Vec<_> = self
            .assignments
            .iter()
            .filter(|assignment| undone.contains(&assignment.term.variable))
            .map(|assignment| (assignment.term, assignment.cause.is_none()))
            .collect();
        for (term, decided) in again {
            self.register(term, decided);
        }
    }

    /// Takes the first entry of an open variable, unless that is in conflict with what is known.
    /// Returns the variable whose incompatibilities are to be looked at next.
    fn decide(&mut self) -> Result<Option<Variable>, C::Error> {
        let open = self.required.iter().filter_map(|variable| {
            let known = self.known.get(*variable).copied().flatten().filter(|known| !known.decided)?;
            Some(Open { variable: *variable, entry: known.states.first_entry()?, traits: known.traits })
        });
        let first = open.min_by_key(|open| self.candidates.priority(open));
        let Some(Open { variable, entry, traits }) = first else { return Ok(None) };
        let decision = Term { variable, states: States::entry(entry), traits };
        let Some(demands) = self.candidates.demands(variable, entry)? else {
            self.add(vec![decision], vec![variable]);
            return Ok(Some(variable));
        };
        let mut conflict = false;
        for demand in demands {
            let all = States::all(self.candidates.entries(demand.variable));
            let refused = Term { variable: demand.variable, states: all.without(demand.states), traits: demand.traits };
            conflict |= demand.variable != variable && self.states(demand.variable).is_subset(refused.states);
            self.add(vec![decision, refused], vec![variable, demand.variable]);
        }
        if !conflict {
            self.level += 1;
            self.assign(decision, None);
        }
        Ok(Some(variable))
    }
}

#[cfg(test)]
mod tests;
