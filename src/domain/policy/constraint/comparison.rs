//! One comparison of a constraint: an operator and a version.

use semver::Version as Number;

/// An operator and the version it compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) operator: Operator,
    /// The version, with 0 for every part that is a wildcard, missing, or follows a wildcard.
    pub(super) number: Number,
    pub(super) precision: Precision,
}

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// None, or `=`: the very version; one that is not fully given is a [`Tilde`](Self::Tilde).
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=` or `=>`
    GreaterOrEqual,
    /// `<=` or `=<`
    LessOrEqual,
    /// `~` or `~>`: not less, and the same minor version, or major version where only that is given.
    Tilde,
    /// `^`: not less, and the same up to the first part that is not 0.
    Caret,
}

/// Which parts of the version are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// None: `*`.
    Nothing,
    /// `1` or `1.x`.
    Major,
    /// `1.2` or `1.2.x`.
    Minor,
    /// `1.2.3`.
    Full,
}

impl Comparison {
    /// Whether the version is a pre-release, which lets pre-releases into the whole group.
    pub(super) fn has_prerelease(&self) -> bool {
        !self.number.pre.is_empty()
    }

    /// Whether it holds for a version.
    pub(super) fn holds(&self, version: &Number) -> bool {
        match self.operator {
            Operator::Equal if self.precision == Precision::Full => *version == self.number,
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => self.differs(version),
            Operator::Greater => self.exceeded_by(version),
            Operator::Less => *version < self.number,
            Operator::GreaterOrEqual => *version >= self.number,
            Operator::LessOrEqual => self.reaches(version),
            Operator::Caret => self.caret(version),
        }
    }

    fn same_major(&self, version: &Number) -> bool {
        version.major == self.number.major
    }

    fn same_minor(&self, version: &Number) -> bool {
        self.same_major(version) && version.minor == self.number.minor
    }

    fn tilde(&self, version: &Number) -> bool {
        let zero = (self.number.major, self.number.minor, self.number.patch) == (0, 0, 0);
        *version >= self.number
            && match self.precision {
                Precision::Nothing => true,
                // `~0.0.0` means "anything", of all things.
                Precision::Full if zero => true,
                Precision::Major => self.same_major(version),
                Precision::Minor | Precision::Full => self.same_minor(version),
            }
    }

    fn caret(&self, version: &Number) -> bool {
        let within = if self.number.major > 0 || self.precision == Precision::Major {
            self.same_major(version)
        } else if self.number.minor > 0 || self.precision == Precision::Minor {
            self.same_minor(version)
        } else {
            // `^*` comes here too, and so means 0.0.0 alone.
            self.same_minor(version) && version.patch == self.number.patch
        };
        *version >= self.number && within
    }

    fn differs(&self, version: &Number) -> bool {
        match self.precision {
            Precision::Major => !self.same_major(version),
            Precision::Minor => !self.same_minor(version) || version.pre != self.number.pre,
            Precision::Full | Precision::Nothing => *version != self.number,
        }
    }

    /// `>1` means from 2.0.0, not from 1.0.1.
    fn exceeded_by(&self, version: &Number) -> bool {
        match self.precision {
            Precision::Major => version.major > self.number.major,
            Precision::Minor => {
                (version.major, version.minor) > (self.number.major, self.number.minor)
            }
            Precision::Full | Precision::Nothing => *version > self.number,
        }
    }

    /// `<=1` means before 2.0.0, not up to 1.0.0.
    fn reaches(&self, version: &Number) -> bool {
        match self.precision {
            Precision::Major => version.major <= self.number.major,
            // `<=*` comes here too, and so means 0.0 alone.
            Precision::Minor | Precision::Nothing => {
                (version.major, version.minor) <= (self.number.major, self.number.minor)
            }
            Precision::Full => *version <= self.number,
        }
    }
}
