//! Which Applications follow which images, and by what rule.
//!
//! | step | modules |
//! |---|---|
//! | what an ImageUpdater says, with everything inherited | [`updater_rules`], [`annotations`], [`inheritance`], [`write_back`] |
//! | what it says of one image | [`image_rule`], [`configured_image`], [`image_target`], [`hindrance`] |
//! | whether a name is that image's | [`identity`] |
//! | which Applications it selects | [`selector`], [`specificity`] |
//! | what runs in an Application, and where that is written | [`application_images`], [`live_images`], [`live_image`], [`source_kind`], [`outlet`], [`spec_version`] |
//! | who gets in whose way | [`neighbours`] |
//! | what to say of each ImageUpdater | [`assessment`], [`tally`] |
//! | all of it, by image | [`index`], [`tracked_image`], [`problem_ledger`] |

pub mod annotations;
pub mod application_images;
pub mod assessment;
pub mod configured_image;
pub mod hindrance;
pub mod identity;
pub mod image_rule;
pub mod image_target;
pub mod index;
pub mod inheritance;
pub mod live_image;
pub mod live_images;
pub mod neighbours;
pub mod outlet;
pub mod problem_ledger;
pub mod selector;
pub mod source_kind;
pub mod spec_version;
pub mod specificity;
pub mod tally;
pub mod tracked_image;
pub mod updater_rules;
pub mod write_back;
