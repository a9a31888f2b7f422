//! The text of a registry, and places in it.

use super::{RegistryError, RegistryProblem};
use crate::location::Location;

/// The text of a registry with the starts of its lines, so that a pin's line is found without counting from the top.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    /// Without a byte order mark, which some editors put in front.
    pub(super) text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(offset, _)| offset + 1);
        Self { name, text, line_starts: std::iter::once(0).chain(newlines).collect() }
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, offset: usize) -> u32 {
        let lines_before = self.line_starts.partition_point(|&start| start <= offset);
        u32::try_from(lines_before).unwrap_or(u32::MAX)
    }

    /// A problem at a byte.
    pub(super) fn error(&self, offset: usize, problem: RegistryProblem) -> RegistryError {
        RegistryError::Invalid { location: Location::of_offset(self.name, self.text, offset), problem }
    }
}
