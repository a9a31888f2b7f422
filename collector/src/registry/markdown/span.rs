//! Code spans of one line, after CommonMark: a run of backticks up to the next run of the same length.

use std::collections::BTreeMap;

/// A code span. All places are bytes of the text that it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span<'a> {
    /// Where its first backtick stands.
    pub(super) start: usize,
    /// Behind its last backtick.
    pub(super) end: usize,
    pub(super) content: &'a str,
    pub(super) content_start: usize,
}

/// Every code span of a text, in order. A run of backticks without a partner is text.
pub(super) fn spans(text: &str) -> impl Iterator<Item = Span<'_>> {
    let mut spans = Spans::new(text);
    std::iter::from_fn(move || spans.next_from(0))
}

/// Finds code spans from left to right.
pub(super) struct Spans<'a> {
    text: &'a str,
    runs: Vec<Run>,
    next: usize,
}

/// A run of backticks.
struct Run {
    start: usize,
    length: usize,
    /// The next run of the same length.
    partner: Option<usize>,
}

impl<'a> Spans<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut runs = Vec::new();
        let mut offset = 0;
        while let Some(start) = text.get(offset..).and_then(|rest| rest.find('`')).map(|start| offset + start) {
            let length = text[start..].bytes().take_while(|&byte| byte == b'`').count();
            runs.push(Run { start, length, partner: None });
            offset = start + length;
        }
        // From behind, so that every partner is found without searching.
        let mut nearest = BTreeMap::new();
        for (index, run) in runs.iter_mut().enumerate().rev() {
            run.partner = nearest.insert(run.length, index);
        }
        Self { text, runs, next: 0 }
    }

    /// Where the span ends that `target` stands in. Spans that start in front of `offset` do not count.
    pub(super) fn around(&mut self, offset: usize, target: usize) -> Option<usize> {
        loop {
            let here = self.next;
            let span = self.next_from(offset)?;
            if span.start > target {
                self.next = here;
                return None;
            }
            if target < span.end {
                return Some(span.end);
            }
        }
    }

    /// The next span that starts at `offset` or behind it.
    pub(super) fn next_from(&mut self, offset: usize) -> Option<Span<'a>> {
        loop {
            let open = self.runs.get(self.next)?;
            match open.partner.and_then(|partner| self.runs.get(partner)).filter(|_| open.start >= offset) {
                Some(close) => {
                    self.next = open.partner? + 1;
                    let content_start = open.start + open.length;
                    return Some(Span {
                        start: open.start,
                        end: close.start + close.length,
                        content: &self.text[content_start..close.start],
                        content_start,
                    });
                }
                None => self.next += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Vec<&str> {
        spans(text).map(|span| span.content).collect()
    }

    #[test]
    fn runs_of_the_same_length_enclose_a_span() {
        assert_eq!(contents("a `b` c `d`"), ["b", "d"]);
        assert_eq!(contents("``A = \"`\"`` rest"), ["A = \"`\""]);
        assert_eq!(contents("`` ` `` é `x`"), [" ` ", "x"]);
    }

    #[test]
    fn a_run_without_partner_is_text() {
        assert_eq!(contents("`a"), [""; 0]);
        assert_eq!(contents("``a `b`"), ["b"]);
        assert_eq!(contents("no span"), [""; 0]);
    }
}
