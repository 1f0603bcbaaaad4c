//! One row of the table of settings.

use super::kind::Kind;
use super::mode::Mode;
use super::topic::Topic;

/// A setting: how it is spelled in each source, what it may be, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, which is also its key in a mounted ConfigMap or, for a secret, in a mounted Secret.
    pub key: String,
    /// The flag, without its dashes.
    pub flag: String,
    /// The environment variable.
    pub env: Option<String>,
    /// Whether a mounted ConfigMap may hold it.
    pub in_config_map: bool,
    /// What its values are.
    pub kind: Kind,
    /// What it is where nobody sets it.
    pub default: DefaultValue,
    /// The one command that has it; `None`: both.
    pub only: Option<Mode>,
    /// Under which heading it is listed.
    pub topic: Topic,
    /// Whether it does anything in this version.
    pub effect: Effect,
    /// Whether a change in a ConfigMap counts without a restart.
    pub is_live: bool,
    /// What it means, in sentences.
    pub help: String,
}

/// What a setting is where nobody sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// Nothing.
    Unset,
    /// Always the same.
    Fixed(&'static str),
    /// One for each command.
    PerMode {
        /// For `webhook`.
        webhook: &'static str,
        /// For `run`.
        run: &'static str,
    },
    /// One for a pod in Kubernetes, another elsewhere.
    PerPlace {
        /// In a pod.
        pod: &'static str,
        /// Elsewhere.
        elsewhere: &'static str,
    },
}

/// Whether a setting does anything in this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The program acts upon it.
    Acts,
    /// It is accepted and checked, so that a Deployment that has it starts, and does nothing.
    NotYet,
    /// It is accepted and checked for the Go program's sake, and means nothing here.
    Never,
}

impl Setting {
    /// A setting of both commands that every source may set and that has no default.
    pub(super) fn new(topic: Topic, key: &str, flag: &str, kind: Kind) -> Self {
        Self {
            key: key.to_owned(),
            flag: flag.to_owned(),
            env: None,
            in_config_map: true,
            kind,
            default: DefaultValue::Unset,
            only: None,
            topic,
            effect: Effect::Acts,
            is_live: false,
            help: String::new(),
        }
    }

    pub(super) fn env(self, name: &str) -> Self {
        let env = Some(name.to_owned());
        Self { env, ..self }
    }

    pub(super) fn not_in_config_map(self) -> Self {
        let in_config_map = false;
        Self {
            in_config_map,
            ..self
        }
    }

    pub(super) fn default(self, value: &'static str) -> Self {
        self.default_value(DefaultValue::Fixed(value))
    }

    pub(super) fn default_value(self, default: DefaultValue) -> Self {
        Self { default, ..self }
    }

    pub(super) fn only(self, mode: Mode) -> Self {
        let only = Some(mode);
        Self { only, ..self }
    }

    pub(super) fn not_yet(self) -> Self {
        let effect = Effect::NotYet;
        Self { effect, ..self }
    }

    pub(super) fn without_effect(self) -> Self {
        let effect = Effect::Never;
        Self { effect, ..self }
    }

    pub(super) fn live(self) -> Self {
        let is_live = true;
        Self { is_live, ..self }
    }

    pub(super) fn help(self, text: impl Into<String>) -> Self {
        let help = text.into();
        Self { help, ..self }
    }

    /// Whether a command has it.
    #[must_use]
    pub fn is_of(&self, mode: Mode) -> bool {
        self.only.is_none_or(|only| only == mode)
    }

    /// Whether something secret may stand in its value, so that a wrong one is not shown either.
    #[must_use]
    pub fn hides_value(&self) -> bool {
        self.is_secret() || self.kind == Kind::QueueAddress
    }

    /// Whether it is a secret as a whole.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Its default for a command in a place, as text.
    #[must_use]
    pub fn default_for(&self, mode: Mode, in_pod: bool) -> Option<&'static str> {
        match (self.default, mode) {
            (DefaultValue::Unset, _) => None,
            (DefaultValue::Fixed(value), _)
            | (DefaultValue::PerMode { webhook: value, .. }, Mode::Webhook)
            | (DefaultValue::PerMode { run: value, .. }, Mode::Run) => Some(value),
            (DefaultValue::PerPlace { pod, elsewhere }, _) => {
                Some(if in_pod { pod } else { elsewhere })
            }
        }
    }

    /// Its default as people read it, for one command or for all that have it; `None` where it has none.
    #[must_use]
    pub fn default_text(&self, mode: Option<Mode>) -> Option<String> {
        match (self.default, mode.or(self.only)) {
            (DefaultValue::Unset | DefaultValue::Fixed(""), _) => None,
            (DefaultValue::Fixed(value), _)
            | (DefaultValue::PerMode { webhook: value, .. }, Some(Mode::Webhook))
            | (DefaultValue::PerMode { run: value, .. }, Some(Mode::Run)) => Some(value.to_owned()),
            (DefaultValue::PerMode { webhook, run }, None) => {
                Some(format!("{webhook}; for run: {run}"))
            }
            (DefaultValue::PerPlace { pod, elsewhere }, _) => {
                Some(format!("{pod} in a pod, {elsewhere} elsewhere"))
            }
        }
    }
}
