//! Which problems exist, so that each is told once.

use std::collections::HashMap;

use crate::domain::resources::problem::Problem;

/// Counts the places in which each problem exists.
#[derive(Debug, Default)]
pub struct ProblemLedger {
    places: HashMap<Problem, usize>,
}

impl ProblemLedger {
    /// Replaces the problems of one place by others, and answers those that existed nowhere before.
    pub fn replace(&mut self, old: &[Problem], new: &[Problem]) -> Vec<Problem> {
        let mut unknown = Vec::new();
        // What is new comes first, so that a problem that stays is never gone in between.
        for problem in new {
            if !self.places.contains_key(problem) {
                unknown.push(problem.clone());
            }
            *self.places.entry(problem.clone()).or_default() += 1;
        }
        self.remove(old);
        unknown
    }

    /// Forgets the problems of one place.
    pub fn remove(&mut self, old: &[Problem]) {
        for problem in old {
            if let Some(places) = self.places.get_mut(problem) {
                *places = places.saturating_sub(1);
                if *places == 0 {
                    self.places.remove(problem);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::problem::Finding;
    use crate::domain::resources::problem::ResourceKind;
    use crate::domain::testing::id;

    fn problem(message: &str) -> Problem {
        Finding::warning(message.to_owned()).about(ResourceKind::Application, &id("web"))
    }

    #[test]
    fn a_problem_is_new_until_it_is_known_and_again_once_it_was_gone() {
        let mut ledger = ProblemLedger::default();
        let (a, b) = (problem("a"), problem("b"));
        let both = [a.clone(), b.clone()];
        let only_a = [a.clone()];
        assert_eq!(ledger.replace(&[], &only_a), only_a);
        assert_eq!(ledger.replace(&only_a, &both), [b]);
        // It exists in a second place, and outlives the first.
        assert_eq!(ledger.replace(&[], &only_a), []);
        ledger.remove(&both);
        assert_eq!(ledger.replace(&[], &only_a), []);
        ledger.remove(&only_a);
        ledger.remove(&only_a);
        assert_eq!(ledger.replace(&[], &only_a), only_a);
    }
}
