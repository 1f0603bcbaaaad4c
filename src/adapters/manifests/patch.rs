//! Putting new bytes into a text.

use std::ops::Range;

/// Bytes that other bytes take the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    /// The bytes.
    pub(super) range: Range<usize>,
    /// What takes their place.
    pub(super) text: String,
}

impl Splice {
    /// Puts something in.
    pub(super) fn at(place: usize, text: String) -> Self {
        Self {
            range: place..place,
            text,
        }
    }
}

/// A text with splices; `None` where one overlaps another. Those of one place come in their order.
pub(super) fn spliced(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| splice.range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for splice in &splices {
        out.push_str(text.get(done..splice.range.start)?);
        out.push_str(&splice.text);
        done = splice.range.end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(range: Range<usize>, text: &str) -> Splice {
        let text = text.to_owned();
        Splice { range, text }
    }

    #[test]
    fn splices_are_made_in_their_places_whatever_their_order() {
        let splices = vec![splice(4..5, "E"), splice(1..3, ""), splice(1..1, "+")];
        assert_eq!(spliced("abcdef", splices), None);
        let splices = vec![splice(4..5, "E"), splice(1..1, "+"), splice(1..3, "")];
        assert_eq!(spliced("abcdef", splices).unwrap(), "a+dEf");
        let splices = vec![Splice::at(2, "1".into()), Splice::at(2, "2".into())];
        assert_eq!(spliced("ab", splices).unwrap(), "ab12");
    }

    #[test]
    fn splices_that_overlap_or_stand_outside_are_not_made() {
        for splices in [
            vec![splice(0..3, "x"), splice(2..4, "y")],
            vec![splice(3..9, "x")],
            vec![splice(1..2, "x")],
        ] {
            assert_eq!(spliced("\u{e9}abc", splices), None);
        }
    }
}
