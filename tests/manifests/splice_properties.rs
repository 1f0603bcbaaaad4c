//! Properties of edits.
