//! `registries.conf`: the operator's description of registries, as YAML.
//!
//! | what | where |
//! |---|---|
//! | the port | [`source`] |
//! | a text | [`parse`](parse::parse), of its `raw` members, each entry by `entry` and its `value`s, all of them by `together` |
//! | what is wrong with one | [`mistake`] |

pub mod mistake;
pub mod parse;
pub mod source;

mod authorities;
mod entry;
mod member;
mod prefix;
mod raw;
mod together;
mod value;
