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
    pub(crate) fn of_offset(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
        }
    }

    /// The place of an error of `serde_json`, whose columns count bytes and may be 0.
    pub(crate) fn of_json_error(file: &str, text: &str, error: &serde_json::Error) -> Self {
        let line = error.line().max(1);
        let source = text.split('\n').nth(line - 1).unwrap_or_default();
        let mut bytes = error.column().saturating_sub(1).min(source.len());
        while !source.is_char_boundary(bytes) {
            bytes -= 1;
        }
        let column = source.get(..bytes).map_or(0, |before| before.chars().count()) + 1;
        Self { file: file.to_owned(), line, column }
    }
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
        assert_eq!(Location::of_json_error("f", text, &error).to_string(), "f:2:10");
    }
}
