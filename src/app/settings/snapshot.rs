//! What was loaded, for a comparison with what is loaded later.

use std::collections::BTreeMap;

use super::load::Loaded;
use super::report::shown;
use super::setting::Effect;
use super::setting::Setting;
use super::{LogLevel, Settings};
use crate::domain::rate_policy::RatePolicy;

/// Settings as they were loaded. Secrets are none of this: they change by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Of every setting that does something, what counts.
    effective: BTreeMap<String, Value>,
    /// What ConfigMaps say, by its place.
    given: BTreeMap<String, Given>,
    /// What counts without a restart; `None` where there are problems.
    live: Option<Live>,
    /// Everything that would stop a start.
    pub(super) problems: Vec<String>,
}

/// What can change without a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// How many events are worked on an hour.
    pub rate: RatePolicy,
    /// The least severe lines that are logged.
    pub level: LogLevel,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    shown: String,
    place: String,
    is_live: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    key: String,
    shown: String,
}

/// A change of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It counts from now on.
    Counts {
        /// The setting.
        key: String,
        /// Its value before.
        old: String,
        /// Its value.
        new: String,
        /// Where that stands.
        place: String,
    },
    /// It counts only after a restart.
    NeedsRestart {
        /// The setting.
        key: String,
        /// The value that stays in force.
        old: String,
        /// The value that is set.
        new: String,
        /// Where that stands.
        place: String,
    },
    /// It is again what is in force, so that no restart is needed for it any longer.
    IsBack {
        /// The setting.
        key: String,
        /// Its value.
        value: String,
    },
    /// A stronger source hides it.
    Hidden {
        /// The setting.
        key: String,
        /// The value that has no effect.
        new: String,
        /// Where that stands.
        place: String,
        /// The place of the stronger one.
        by: String,
    },
}

impl Snapshot {
    /// Takes what was loaded.
    #[must_use]
    pub fn of(loaded: &Loaded) -> Self {
        let acts = |row: &&Setting| row.effect == Effect::Acts && !row.is_secret();
        let rows: Vec<_> = loaded.table.of(loaded.mode).filter(acts).collect();
        let effective = rows.iter().map(|row| {
            let value = Value {
                shown: shown(row, loaded.values.raw(&row.key).as_ref()),
                place: loaded.values.place(&row.key).unwrap_or_default(),
                is_live: row.is_live,
            };
            (row.key.clone(), value)
        });
        let given = loaded.values.config_maps().flat_map(|layer| {
            rows.iter().filter_map(|row| {
                let given = Given {
                    key: row.key.clone(),
                    shown: shown(row, Some(layer.value(&row.key)?)),
                };
                Some((layer.place(&row.key)?.to_owned(), given))
            })
        });
        let usable = loaded.settings.as_ref();
        Self {
            effective: effective.collect(),
            given: given.collect(),
            live: usable.filter(|_| loaded.problems.is_empty()).map(Live::of),
            problems: loaded.problems.iter().map(ToString::to_string).collect(),
        }
    }

    /// What counts without a restart; `None` where there are problems.
    #[must_use]
    pub fn live(&self) -> Option<Live> {
        self.live
    }

    /// What is other here than in an earlier one. `started` is what the program was started with.
    #[must_use]
    pub fn changes_since(&self, earlier: &Self, started: &Self) -> Vec<Change> {
        let of_values = self.effective.iter().filter_map(|(key, new)| {
            let old = earlier.effective.get(key)?;
            let at_start = started.effective.get(key)?;
            (old.shown != new.shown).then(|| change(key, old, new, at_start))
        });
        let hidden = self.given.iter().filter_map(|(place, given)| {
            let used = self.effective.get(&given.key)?;
            let is_changed = earlier.given.get(place) != Some(given);
            let is_hidden = used.place != *place && used.shown != given.shown;
            (is_changed && is_hidden).then(|| Change::Hidden {
                key: given.key.clone(),
                new: given.shown.clone(),
                place: place.clone(),
                by: used.place.clone(),
            })
        });
        of_values.chain(hidden).collect()
    }
}

impl Live {
    fn of(settings: &Settings) -> Self {
        Self {
            rate: settings.rate,
            level: settings.log.level,
        }
    }
}

fn change(key: &str, old: &Value, new: &Value, at_start: &Value) -> Change {
    let key = key.to_owned();
    let value = new.shown.clone();
    if new.is_live {
        return Change::Counts {
            key,
            old: old.shown.clone(),
            new: value,
            place: new.place.clone(),
        };
    }
    if new.shown == at_start.shown {
        return Change::IsBack { key, value };
    }
    Change::NeedsRestart {
        key,
        old: at_start.shown.clone(),
        new: value,
        place: new.place.clone(),
    }
}
