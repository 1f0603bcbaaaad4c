//! What people are told in the cluster: the status of ImageUpdaters, and Kubernetes Events.
//!
//! | what | modules |
//! |---|---|
//! | what was done for an ImageUpdater | [`run`] |
//! | what its status should say | [`reckoning`], with its [`conditions`] |
//! | what is announced | [`announcement`] |

pub mod announcement;
pub mod conditions;
pub mod reckoning;
pub mod run;
