//! Places in policy files.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a policy or data file: `m2/a/state_backend.rego:12:5`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, relative to the policy folder, with `/` between its parts.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters. A tab counts as one.
    pub column: u32,
}

impl Location {
    /// A place known by line and column.
    pub fn new(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }

    /// The place of a byte offset in a text. The engine counts a tab as four columns and editors do not, so places are
    /// always taken from offsets.
    pub(crate) fn of_offset(file: &str, text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        // A byte that continues a UTF-8 sequence is no character of its own.
        let column = before[line_start..].iter().filter(|byte| (**byte & 0b1100_0000) != 0b1000_0000).count() + 1;
        Self::new(file, u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// The place that the engine names by line and column, where a tab before it counts as four.
    pub(crate) fn of_engine_column(file: &str, text: &str, line: u32, engine_column: u32) -> Self {
        let Some(content) = text.lines().nth(line.saturating_sub(1) as usize) else {
            return Self::new(file, line, engine_column.max(1));
        };
        let mut engine = 1;
        let mut column = 1;
        for character in content.chars() {
            if engine >= engine_column {
                break;
            }
            engine += if character == '\t' { 4 } else { 1 };
            column += 1;
        }
        Self::new(file, line, column)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::Location;

    #[test]
    fn columns_count_characters_and_a_tab_is_one() {
        let text = "package a\n\té := 1\n";
        let offset = text.find(":=").unwrap();
        assert_eq!(Location::of_offset("f", text, offset), Location::new("f", 2, 4));
        assert_eq!(Location::of_engine_column("f", text, 2, 7), Location::new("f", 2, 4));
    }

    #[test]
    fn an_offset_behind_the_end_is_the_end() {
        assert_eq!(Location::of_offset("f", "ab", 99), Location::new("f", 1, 3));
    }
}
