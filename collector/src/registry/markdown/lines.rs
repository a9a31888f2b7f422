//! The lines of a Markdown text that a reader sees: neither fenced code nor comments.

use std::borrow::Cow;

use super::bullet::bullet;
use super::span::Spans;
use crate::registry::source::Source;
use crate::registry::{RegistryError, RegistryProblem};

const COMMENT_START: &str = "<!--";
const COMMENT_END: &str = "-->";

/// A line without its newline.
pub(super) struct Line<'a> {
    /// Comments are blanked, byte by byte, so that places stay what they are.
    pub(super) text: Cow<'a, str>,
    /// Where it starts in the text.
    pub(super) offset: usize,
}

/// Walks over the lines of a text.
pub(super) struct Lines<'s, 'a> {
    source: &'s Source<'a>,
    offset: usize,
    /// Of a fence that is open: its character, its length, and where it stands.
    fence: Option<(char, usize, usize)>,
    /// Of a comment that is open: where it starts.
    comment: Option<usize>,
}

impl<'s, 'a> Lines<'s, 'a> {
    pub(super) fn new(source: &'s Source<'a>) -> Self {
        Self { source, offset: 0, fence: None, comment: None }
    }

    /// The next line that is neither code nor inside of a comment. A fence or a comment that never ends is an error: it would
    /// hide every pin behind it.
    pub(super) fn next_visible(&mut self) -> Result<Option<Line<'a>>, RegistryError> {
        while let Some(rest) = self.source.text.get(self.offset..).filter(|rest| !rest.is_empty()) {
            let offset = self.offset;
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            self.offset += line.len();
            let line = line.trim_end_matches(['\n', '\r']);
            if let Some((mark, length, _)) = self.fence {
                if is_closing_fence(line, mark, length) {
                    self.fence = None;
                }
                continue;
            }
            // As in HTML blocks, what follows a comment that a line starts with belongs to it.
            let is_comment = self.comment.is_some() || line.trim_start().starts_with(COMMENT_START);
            let text = self.without_comments(line, offset);
            if is_comment {
                continue;
            }
            // A fence may also be the content of a bullet.
            let content = bullet(&text).map_or(text.as_ref(), |bullet| bullet.content);
            if let Some((mark, length)) = opening_fence(content) {
                self.fence = Some((mark, length, offset));
                continue;
            }
            return Ok(Some(Line { text, offset }));
        }
        if let Some((_, _, offset)) = self.fence {
            return Err(self.source.error(offset, RegistryProblem::OpenFence));
        }
        match self.comment {
            Some(offset) => Err(self.source.error(offset, RegistryProblem::OpenComment)),
            None => Ok(None),
        }
    }

    fn without_comments(&mut self, line: &'a str, offset: usize) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(line);
        let mut spans = None;
        let mut position = 0;
        while let Some(rest) = line.get(position..).filter(|rest| !rest.is_empty()) {
            if self.comment.is_some() {
                let end = rest.find(COMMENT_END).map(|end| position + end + COMMENT_END.len());
                let end = end.inspect(|_| self.comment = None).unwrap_or(line.len());
                text.to_mut().replace_range(position..end, &" ".repeat(end - position));
                position = end;
                continue;
            }
            let Some(start) = rest.find(COMMENT_START).map(|start| position + start) else { break };
            // What stands in a code span is no comment.
            let spans = spans.get_or_insert_with(|| Spans::new(line));
            match spans.around(position, start) {
                Some(end) => position = end,
                None => {
                    self.comment = Some(offset + start);
                    let end = start + COMMENT_START.len();
                    text.to_mut().replace_range(start..end, &" ".repeat(COMMENT_START.len()));
                    position = end;
                }
            }
        }
        text
    }
}

fn opening_fence(content: &str) -> Option<(char, usize)> {
    let content = content.trim_start();
    let mark = content.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = content.chars().take_while(|&c| c == mark).count();
    // Backticks behind a fence of backticks make it a code span.
    (length >= 3 && !(mark == '`' && content[length..].contains('`'))).then_some((mark, length))
}

fn is_closing_fence(line: &str, mark: char, length: usize) -> bool {
    let line = line.trim();
    line.chars().all(|c| c == mark) && line.len() >= length
}
