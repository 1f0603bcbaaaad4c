//! A first look: a few Applications, a secret, a delivery, and the change it makes.

pub mod folder;
pub mod tell;
