//! Places in the files that users write or keep.

use std::fmt;

/// A place in a file: `registry.md:12:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl Location {
    /// The place of a byte of `text`; an offset behind the end is the end.
    pub fn of_offset(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
        }
    }
}

/// The byte of `text` at which an error of `serde_json` stands; its columns count bytes and may be 0.
pub(crate) fn json_error_offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut offset = (before + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let location = Location::of_offset("f", "a\néé x", "a\néé ".len());
        assert_eq!(location.to_string(), "f:2:4");
    }

    #[test]
    fn an_offset_inside_a_character_or_behind_the_end_is_the_end() {
        assert_eq!(Location::of_offset("f", "é", 1).to_string(), "f:1:2");
        assert_eq!(Location::of_offset("f", "ab\n", 99).to_string(), "f:2:1");
    }

    #[test]
    fn json_errors_are_placed_by_character() {
        let text = "{\n \"é\": nul }";
        let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        assert_eq!(Location::of_offset("f", text, json_error_offset(text, &error)).to_string(), "f:2:10");
    }
}
