use std::cmp::Reverse;

use proptest::prelude::*;

use super::*;

/// Packages by number, each with entries, each with what it demands. Package 0 is the root.
#[derive(Debug, Clone)]
struct World(Vec<Vec<Demands>>);

type Demands = Vec<(Variable, Vec<usize>)>;

impl World {
    fn states(entries: &[usize]) -> States {
        entries.iter().fold(States::EMPTY, |states, entry| states.union(States::entry(*entry)))
    }

    /// Whether these entries, none being absence, are a solution.
    fn is_solution(&self, chosen: &[Option<usize>]) -> bool {
        let met = |(package, entries): &(Variable, Vec<usize>)| {
            chosen[*package].is_some_and(|entry| entries.contains(&entry))
        };
        chosen[0].is_some()
            && chosen
                .iter()
                .enumerate()
                .all(|(package, entry)| entry.is_none_or(|entry| self.0[package][entry].iter().all(met)))
    }

    fn has_solution(&self) -> bool {
        fn search(world: &World, chosen: &mut Vec<Option<usize>>) -> bool {
            let Some(entries) = world.0.get(chosen.len()) else { return world.is_solution(chosen) };
            (0..entries.len()).map(Some).chain([None]).any(|entry| {
                chosen.push(entry);
                let found = search(world, chosen);
                chosen.pop();
                found
            })
        }
        search(self, &mut Vec::new())
    }

    fn solve(&self) -> Option<Vec<Option<usize>>> {
        let decisions = solve(0, &mut self.clone()).ok()?;
        let mut chosen = vec![None; self.0.len()];
        for (package, entry) in decisions {
            chosen[package] = Some(entry);
        }
        Some(chosen)
    }
}

impl Candidates for World {
    type Error = ();

    fn entries(&self, variable: Variable) -> usize {
        self.0[variable].len()
    }

    fn demands(&mut self, variable: Variable, entry: usize) -> Result<Option<Vec<Demand>>, ()> {
        let demand = |(variable, entries): &(Variable, Vec<usize>)| Demand {
            variable: *variable,
            states: Self::states(entries),
            traits: Traits::default(),
        };
        Ok(Some(self.0[variable][entry].iter().map(demand).collect()))
    }

    fn priority(&self, _: &Open) -> Priority {
        (false, false, Reverse(0), false)
    }
}

#[test]
fn the_first_entry_that_fits_is_taken() {
    let world = World(vec![vec![vec![(1, vec![1, 2])]], vec![vec![], vec![], vec![]]]);
    assert_eq!(world.solve(), Some(vec![Some(0), Some(1)]));
}

#[test]
fn an_entry_that_excludes_another_demand_is_given_up() {
    // The first entry of 1 wants the second of 2, the root wants the first.
    let world =
        World(vec![vec![vec![(1, vec![0, 1]), (2, vec![0])]], vec![vec![(2, vec![1])], vec![]], vec![vec![], vec![]]]);
    assert_eq!(world.solve(), Some(vec![Some(0), Some(1), Some(0)]));
}

#[test]
fn demands_that_exclude_each_other_are_named() {
    let mut world = World(vec![
        vec![vec![(1, vec![0]), (2, vec![0])]],
        vec![vec![(3, vec![0])]],
        vec![vec![(3, vec![1])]],
        vec![vec![], vec![]],
    ]);
    let Err(Failure::Conflict(mut involved)) = solve(0, &mut world) else { panic!("there is no solution") };
    involved.sort_unstable();
    assert_eq!(involved, [0, 1, 2, 3]);
}

fn worlds() -> impl Strategy<Value = World> {
    (1..5_usize).prop_flat_map(|packages| {
        let demand = (1..=packages, prop::collection::vec(0..3_usize, 0..3));
        let entry = prop::collection::vec(demand, 0..4);
        let package = prop::collection::vec(entry, 0..4);
        prop::collection::vec(package, packages).prop_map(|packages| {
            let root = packages[0].first().cloned().unwrap_or_default();
            let mut world = vec![vec![root]];
            world.extend(packages);
            for (package, entries) in world.iter_mut().enumerate() {
                for demands in entries {
                    demands.retain(|(on, _)| *on != package);
                }
            }
            World(world)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_solution_is_found_if_there_is_one(world in worlds()) {
        match world.solve() {
            Some(chosen) => prop_assert!(world.is_solution(&chosen), "{:?}", chosen),
            None => prop_assert!(!world.has_solution()),
        }
    }
}
