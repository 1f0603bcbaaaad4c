//! Secrets in memory.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::secret_policy::Secrets;
use crate::ports::secret_source::SecretSource;

/// Secrets that are given by the program itself.
#[derive(Debug, Default)]
pub struct MemorySecrets(ArcSwap<HashMap<String, Arc<Secrets>>>);

impl MemorySecrets {
    /// Replaces the secrets of a type, by its `secret_name`.
    pub fn set(&self, secret_name: &str, secrets: Secrets) {
        let secrets = Arc::new(secrets);
        self.0.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(secret_name.to_owned(), Arc::clone(&secrets));
            known
        });
    }
}

impl SecretSource for MemorySecrets {
    fn secrets(&self, secret_name: &str) -> Arc<Secrets> {
        let known = self.0.load();
        known.get(secret_name).map(Arc::clone).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::secret_source::contract;

    #[test]
    fn it_keeps_the_contract() {
        let source = MemorySecrets::default();
        let put = |name: &str, text: &str| source.set(name, Secrets::parse(text));
        contract::is_kept(&source, &put);
    }
}
