//! ImageUpdaters and Applications in YAML files of a directory.
//!
//! | what | where |
//! |---|---|
//! | the ports | [`reader`] |
//! | Secrets that resources name | [`secret_reader`], of the `secret_document`s |
//! | what is known of the directory | `store`, of the files in `tree`, each a `known_file`; `merged` |
//! | what a file holds | `contents`, of its `documents` |
//! | changes of a text | [`splice`], in a `draft` of it, from an `edit` by `insert` and `scalar` at the places of the `yaml_tree` |
//! | changes of files | `writer`, by `replace`; `leftovers` of one that was killed |

pub mod problem;
pub mod reader;
pub mod secret_reader;
pub mod splice;

mod contents;
mod documents;
mod draft;
mod edit;
mod fingerprint;
mod insert;
mod known_file;
mod layout;
mod leftovers;
mod lines;
mod merged;
mod patch;
mod replace;
mod scalar;
mod secret_document;
mod store;
mod tree;
mod writer;
mod yaml_tree;
