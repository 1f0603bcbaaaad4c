//! "Did you mean …?"

use super::setting::Setting;

/// How alike two spellings are at the least, of 1, so that one is suggested for the other.
const ALIKE: f64 = 0.75;

/// The key that a misspelt one probably means. Who writes a variable's or a flag's name for the key is understood too.
pub(super) fn suggest<'a>(
    misspelt: &str,
    candidates: impl Iterator<Item = &'a Setting>,
) -> Option<String> {
    let misspelt = misspelt.to_ascii_lowercase();
    let alike = |spelling: &str| strsim::normalized_damerau_levenshtein(&misspelt, spelling);
    candidates
        .map(|setting| {
            let env = setting.env.as_deref().map(str::to_ascii_lowercase);
            let best = alike(&setting.key).max(alike(&setting.flag));
            (env.map_or(best, |env| best.max(alike(&env))), setting)
        })
        .filter(|(best, _)| *best >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, setting)| setting.key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::table::Table;

    #[test]
    fn a_slip_is_understood() {
        let table = Table::new(&[]);
        for (misspelt, meant) in [
            ("webhook.prot", Some("webhook.port")),
            ("WEBHOOK_PORT", Some("webhook.port")),
            ("webhook-port", Some("webhook.port")),
            ("loglevel", Some("log.level")),
            ("tls.minversion", Some("tls.min-version")),
            ("max-concurrent-apps", Some("max_concurrent_apps")),
            ("ca.crt", None),
            ("", None),
        ] {
            assert_eq!(
                suggest(misspelt, table.iter()).as_deref(),
                meant,
                "{misspelt}"
            );
        }
    }
}
