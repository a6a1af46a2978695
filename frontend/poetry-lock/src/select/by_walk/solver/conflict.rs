//! What the solver learns from a conflict.

use super::{Candidates, Incompatibility, MAX_CONFLICTS, Solver, States, Term, Variable};

/// One step of conflict resolution.
struct Step {
    /// Which term was satisfied last.
    position: usize,
    /// By which assignment.
    assignment: usize,
    /// The states that this assignment allows and the term does not.
    rest: States,
    /// The level at which all the other terms were satisfied.
    previous_level: usize,
}

impl<C: Candidates> Solver<'_, C> {
    /// Concludes from a conflict what went wrong first, goes back to before that, and returns the
    /// conclusion.
    pub(super) fn resolve(&mut self, conflict: usize, conflicts: usize) -> Result<usize, Vec<Variable>> {
        let mut current = self
            .incompatibilities
            .get(conflict)
            .cloned()
            .unwrap_or(Incompatibility { terms: vec![], involved: vec![] });
        let mut concluded = false;
        loop {
            if conflicts > MAX_CONFLICTS {
                return Err(current.involved);
            }
            let Some(step) = self.last_satisfier(&current) else {
                return Err(current.involved);
            };
            let Some(satisfier) = self.assignments.get(step.assignment) else {
                return Err(current.involved);
            };
            match satisfier.cause {
                Some(cause) if step.previous_level >= satisfier.level => {
                    let satisfier_term = satisfier.term;
                    current = self.conclude(&current, &step, satisfier_term, cause);
                    concluded = true;
                }
                _ if satisfier.level == 0 => return Err(current.involved),
                _ => {
                    self.backtrack(step.previous_level);
                    return Ok(if concluded { self.add(current.terms, current.involved) } else { conflict });
                }
            }
        }
    }

    /// The assignment that made the incompatibility hold as a whole.
    fn last_satisfier(&self, incompatibility: &Incompatibility) -> Option<Step> {
        let level = |assignment: usize| self.assignments.get(assignment).map_or(0, |found| found.level);
        let mut last: Option<(usize, usize)> = None;
        // Level 1 is where the root was decided on; there is no use in going back before it.
        let mut previous_level = 1;
        for (position, term) in incompatibility.terms.iter().enumerate() {
            let assignment = self.satisfier(term)?;
            let earlier = match last {
                Some((_, latest)) if latest >= assignment => assignment,
                _ => last.replace((position, assignment)).map_or(assignment, |(_, latest)| latest),
            };
            if last.is_some_and(|(_, latest)| latest != earlier) {
                previous_level = previous_level.max(level(earlier));
            }
        }
        let (position, assignment) = last?;
        let term = incompatibility.terms.get(position)?;
        // The satisfier may need an earlier assignment on the same variable to do its work.
        let rest = self.assignments.get(assignment)?.term.states.without(term.states);
        if !rest.is_empty() {
            let all = States::all(self.candidates.entries(term.variable));
            let earlier = self.satisfier(&Term { states: all.without(rest), ..*term })?;
            previous_level = previous_level.max(level(earlier));
        }
        Some(Step { position, assignment, rest, previous_level })
    }

    /// The first assignment up to which a term holds.
    fn satisfier(&self, term: &Term) -> Option<usize> {
        let mut states = States::all(self.candidates.entries(term.variable));
        for (index, assignment) in self.assignments.iter().enumerate() {
            if assignment.term.variable == term.variable {
                states = states.intersect(assignment.term.states);
                if states.is_subset(term.states) {
                    return Some(index);
                }
            }
        }
        None
    }

    /// Replaces the term that was satisfied last by what its satisfier was derived from.
    fn conclude(&self, current: &Incompatibility, step: &Step, satisfier: Term, cause: usize) -> Incompatibility {
        let mut terms: Vec<Term> = Vec::new();
        let mut push = |term: Term| match terms.iter_mut().find(|known| known.variable == term.variable) {
            Some(known) => known.states = known.states.intersect(term.states),
            None => terms.push(term),
        };
        for (position, term) in current.terms.iter().enumerate() {
            if position != step.position {
                push(*term);
            }
        }
        let mut involved = current.involved.clone();
        if let Some(cause) = self.incompatibilities.get(cause) {
            for term in cause.terms.iter().filter(|term| term.variable != satisfier.variable) {
                push(*term);
            }
            for variable in &cause.involved {
                if !involved.contains(variable) {
                    involved.push(*variable);
                }
            }
        }
        if !step.rest.is_empty() {
            let all = States::all(self.candidates.entries(satisfier.variable));
            push(Term { states: all.without(step.rest), ..satisfier });
        }
        Incompatibility { terms, involved }
    }
}
