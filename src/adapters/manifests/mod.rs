//! ImageUpdaters and Applications in YAML files of a directory.
//!
//! | file | what it does |
//! |---|---|
//! | [`reader`] | the ports: what is known, and writing a change |
//! | [`store`] | what is known of each file, and the objects of all of them |
//! | [`tree`] | the files of the directory |
//! | [`documents`] | the objects of a file |
//! | [`splice`] | a change as an edit of a file's text |
//! | [`replace`] | a file replaced in one step |

pub mod splice;

mod documents;
mod edit;
mod insert;
mod layout;
mod lines;
mod scalar;
mod yaml_tree;
