//! Reading a text.

use serde_saphyr::Spanned;

use crate::adapters::registries_conf::entry;
use crate::adapters::registries_conf::mistake::Mistake;
use crate::adapters::registries_conf::raw;
use crate::adapters::registries_conf::raw::Mapping;
use crate::adapters::registries_conf::raw::Raw;
use crate::adapters::registries_conf::together;
use crate::adapters::registries_conf::together::Read;
use crate::adapters::registries_conf::value::Members;
use crate::adapters::registries_conf::value::kind;
use crate::adapters::registries_conf::value::line_of;
use crate::domain::registry::endpoint::Endpoint;

/// The one key at the top.
const KEY: &str = "registries";

/// What a text describes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// The registries, in their order.
    pub endpoints: Vec<Endpoint>,
    /// What people should know of them.
    pub warnings: Vec<Mistake>,
}

/// Reads a description of registries. One of nothing describes none.
///
/// # Errors
/// Every mistake, in the order of their lines.
pub fn parse(text: &str) -> Result<Described, Vec<Mistake>> {
    let root = raw::read(text).map_err(|mistake| vec![mistake])?;
    let mut reader = Reader::default();
    for entry in reader.list(&root) {
        reader.entry(entry);
    }
    let Reader {
        mut mistakes,
        mut warnings,
        entries,
    } = reader;
    mistakes.extend(together::check(&entries));
    if !mistakes.is_empty() {
        mistakes.sort_by_key(|mistake| mistake.line);
        return Err(mistakes);
    }
    warnings.sort_by_key(|warning| warning.line);
    Ok(Described {
        endpoints: entries.into_iter().map(|read| read.endpoint).collect(),
        warnings,
    })
}

#[derive(Default)]
struct Reader {
    entries: Vec<Read>,
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
}

impl Reader {
    /// The entries.
    fn list<'r>(&mut self, root: &'r Spanned<Raw>) -> &'r [Spanned<Raw>] {
        let mapping = match &root.value {
            Raw::Mapping(mapping) => mapping,
            Raw::Nothing => return &[],
            other => {
                let found = kind(other);
                self.wrong(
                    line_of(root),
                    format!("the file must be a mapping with the key {KEY} and is {found}"),
                );
                return &[];
            }
        };
        for (key, _) in mapping.iter().filter(|(key, _)| key.value != KEY) {
            let request = format!("{:?} is no key here: the only one is {KEY}", key.value);
            self.wrong(line_of(key), request);
        }
        let list = mapping.iter().find(|(key, _)| key.value == KEY);
        match list.map(|(key, list)| (key, &list.value)) {
            None | Some((_, Raw::Nothing)) => &[],
            Some((_, Raw::List(entries))) => entries,
            Some((key, other)) => {
                let found = kind(other);
                self.wrong(line_of(key), format!("{KEY} must be a list and is {found}"));
                &[]
            }
        }
    }

    fn entry(&mut self, entry: &Spanned<Raw>) {
        let line = line_of(entry);
        let number = self.entries.len() + 1;
        let Raw::Mapping(mapping) = &entry.value else {
            let found = kind(&entry.value);
            return self.wrong(line, format!("a registry must be a mapping and is {found}"));
        };
        let title = title(mapping, number);
        let mut members = Members::of(mapping, line, title.clone());
        let endpoint = entry::read(&mut members);
        let has_valid_prefix = !members.is_wrong("prefix") && !members.is_wrong("api_url");
        self.mistakes.append(&mut members.mistakes);
        self.warnings.append(&mut members.warnings);
        self.entries.push(Read {
            endpoint,
            title,
            line,
            has_valid_prefix,
        });
    }

    fn wrong(&mut self, line: u64, reason: String) {
        self.mistakes.push(Mistake {
            line,
            entry: None,
            key: None,
            reason,
        });
    }
}

/// What people call an entry: by its name, or else by its number.
fn title(mapping: &Mapping, number: usize) -> String {
    let mut members = mapping.iter();
    let name = members.find(|(key, _)| key.value == "name");
    match name.map(|(_, value)| &value.value) {
        Some(Raw::Text(name)) if !name.trim().is_empty() => format!("registry {:?}", name.trim()),
        _ => format!("registry number {number}"),
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
