//! Reads one source against the table.

use super::layer::{Layer, Origin};
use super::mode::Mode;
use super::notice::Notice;
use super::problem::Problem;
use super::setting::Setting;
use super::suggest::suggest;
use super::table::{FILE_KEYS, FILE_NAMES, Table};
use crate::domain::secret_policy::Secrets;
use crate::ports::config_source::{ConfigSourceError, ConfigValue};

/// Reads sources for one command and collects what is to be said about them.
pub(super) struct Reader<'a> {
    pub(super) table: &'a Table,
    pub(super) mode: Mode,
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<Notice>,
}

impl Reader<'_> {
    /// The values that the table gives.
    pub(super) fn defaults(&mut self, in_pod: bool) -> Layer {
        let mut layer = Layer::new(Origin::Defaults);
        for setting in self.table.of(self.mode) {
            if let Some(text) = setting.default_for(self.mode, in_pod) {
                self.take(&mut layer, setting, &setting.key, text);
            }
        }
        layer
    }

    /// The values of a source. What is wrong with one of them does not keep the others from being read.
    pub(super) fn source(
        &mut self,
        origin: Origin,
        values: &Result<Vec<ConfigValue>, ConfigSourceError>,
    ) -> Layer {
        let mut layer = Layer::new(origin);
        match values {
            Ok(values) => {
                for ConfigValue { key, value } in values {
                    self.value(&mut layer, key, value);
                }
            }
            Err(ConfigSourceError { place, reason }) => {
                self.problems.push(Problem::of(place, reason.as_str()));
            }
        }
        layer
    }

    fn value(&mut self, layer: &mut Layer, spelling: &str, text: &str) {
        let table = self.table;
        let is_spelled_so =
            |setting: &&Setting| layer.origin().spelling(setting).as_deref() == Some(spelling);
        let Some(setting) = table.iter().find(is_spelled_so) else {
            return self.unknown(layer.origin(), spelling);
        };
        let is_flag = *layer.origin() == Origin::Flags;
        let is_unset = text.is_empty() && (!is_flag || setting.is_secret());
        if is_unset || !setting.is_of(self.mode) {
            return;
        }
        if *layer.origin() == Origin::Environment && is_service_address(spelling, text) {
            let variable = layer.origin().place(spelling);
            return self.notices.push(Notice::InjectedByKubernetes { variable });
        }
        self.take(layer, setting, spelling, text);
    }

    fn take(&mut self, layer: &mut Layer, setting: &Setting, spelling: &str, text: &str) {
        let place = layer.origin().place(spelling);
        match setting.kind.parse(text) {
            Ok(value) => {
                if setting.is_secret() {
                    let secrets = Secrets::parse(text);
                    if secrets.is_empty() {
                        return;
                    }
                    layer.insert_secrets(&setting.key, secrets);
                }
                layer.insert(&setting.key, place, value);
            }
            Err(request) => {
                let problem = Problem::with_value(setting, &place, text, request);
                self.problems.push(problem);
            }
        }
    }

    /// A key that the source cannot hold. The environment is full of variables that are not meant for us, and a Secret may hold others'.
    fn unknown(&mut self, origin: &Origin, spelling: &str) {
        let place = origin.place(spelling);
        let secret = |setting: &&Setting| setting.is_secret();
        match origin {
            Origin::ConfigMap(_) | Origin::ConfigMapObject(_) => {
                if FILE_KEYS.contains(&spelling) || FILE_NAMES.contains(&spelling) {
                    return;
                }
                let notice = if self.table.iter().filter(secret).any(|s| s.key == spelling) {
                    Notice::SecretInConfigMap { place }
                } else {
                    let candidates = self.table.iter().filter(|s| s.in_config_map);
                    let suggestion = suggest(spelling, candidates);
                    Notice::UnknownKey { place, suggestion }
                };
                self.notices.push(notice);
            }
            Origin::SecretFolder(_) | Origin::SecretObject(_) => {
                let suggestion = suggest(spelling, self.table.iter().filter(secret));
                if suggestion.is_some() && !self.table.iter().any(|s| s.key == spelling) {
                    self.notices.push(Notice::UnknownKey { place, suggestion });
                }
            }
            Origin::Flags => self
                .problems
                .push(Problem::of(&place, "there is no such flag")),
            Origin::Defaults | Origin::Environment => {}
        }
    }
}

/// Whether Kubernetes made this variable for a Service whose name happens to make it ours: for a Service `webhook` every pod of the
/// namespace gets `WEBHOOK_PORT=tcp://10.0.0.1:443`.
fn is_service_address(variable: &str, value: &str) -> bool {
    let schemes = ["tcp://", "udp://", "sctp://"];
    variable.ends_with("_PORT") && schemes.iter().any(|scheme| value.starts_with(scheme))
}
