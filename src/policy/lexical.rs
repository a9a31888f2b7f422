//! A look at a policy's text before the engine's parser sees it.
//!
//! The parser needs time exponential in the nesting of literals, and both parser and interpreter recurse along expressions,
//! so what could hang or overflow them is refused here, where nothing recurses. On the way the scan collects the comments
//! that stand alone on their line: the METADATA blocks are among them, and text that merely looks like one inside a string
//! is not.

use super::{Defect, Location};

/// How deeply array, set and object literals and comprehensions may nest.
pub(crate) const LITERAL_NESTING: usize = 8;

/// How deeply brackets of any kind may nest.
const BRACKET_NESTING: usize = 32;

/// How many operators and references may follow each other at one level of brackets.
const OPERATOR_CHAIN: usize = 40;

/// What a scan found.
#[derive(Debug, Default)]
pub(crate) struct Scan<'text> {
    /// The comments that stand alone on their line, in order.
    pub(crate) comments: Vec<Comment<'text>>,
    /// What the parser must not see.
    pub(crate) defects: Vec<Defect>,
}

/// A comment that stands alone on its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comment<'text> {
    /// From 1.
    pub(crate) line: u32,
    /// How many characters stand before the `#`.
    pub(crate) indentation: usize,
    /// What follows the `#`.
    pub(crate) text: &'text str,
}

/// Scans one policy file.
pub(crate) fn scan<'text>(file: &str, text: &'text str) -> Scan<'text> {
    let mut scanner = Scanner {
        file,
        text,
        position: 0,
        previous: Previous::Start,
        levels: vec![Level::default()],
        scan: Scan::default(),
    };
    // The first refusal ends the scan: every deeper bracket would repeat it.
    while scanner.position < text.len() && scanner.scan.defects.is_empty() {
        scanner.step();
    }
    scanner.scan
}

/// What stood before the token that is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Previous {
    /// Nothing, or something that separates.
    Start,
    /// The keyword `if`: a brace behind it opens a body, not a literal.
    If,
    /// A name, number, string or closing bracket that ends at this offset.
    Operand(usize),
    /// An operator.
    Operator,
}

/// A level of brackets.
#[derive(Default)]
struct Level {
    literal: bool,
    operators: usize,
}

struct Scanner<'text, 'file> {
    file: &'file str,
    text: &'text str,
    position: usize,
    previous: Previous,
    levels: Vec<Level>,
    scan: Scan<'text>,
}

impl Scanner<'_, '_> {
    fn step(&mut self) {
        let start = self.position;
        let byte = self.text.as_bytes()[start];
        self.position += 1;
        match byte {
            b'#' => self.comment(start),
            b'"' => self.string(),
            b'`' => self.raw_string(),
            b'[' | b'{' | b'(' => self.open(start, byte),
            b']' | b'}' | b')' => self.close(),
            b',' | b';' | b'|' => self.separate(),
            // The colon of an object separates; that of `:=` belongs to an operator.
            b':' if self.text.as_bytes().get(self.position) != Some(&b'=') => self.separate(),
            b':' | b'=' | b'!' | b'<' | b'>' => {
                if self.text.as_bytes().get(self.position) == Some(&b'=') {
                    self.position += 1;
                }
                self.operator(start);
            }
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' => self.operator(start),
            _ if byte.is_ascii_alphanumeric() || byte == b'_' => self.word(start),
            _ => {}
        }
    }

    fn comment(&mut self, start: usize) {
        let end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
        self.position = end;
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let indentation = &self.text[line_start..start];
        if indentation.chars().all(char::is_whitespace) {
            let text = self.text[start + 1..end].trim_end_matches('\r');
            let line = Location::of_offset(self.file, self.text, start).line;
            self.scan.comments.push(Comment { line, indentation: indentation.chars().count(), text });
        }
    }

    /// An unterminated string ends with its line: the parser will say so.
    fn string(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.position) {
            match byte {
                b'\\' => self.position += 2,
                b'\n' => break,
                b'"' => {
                    self.position += 1;
                    break;
                }
                _ => self.position += 1,
            }
        }
        self.position = self.position.min(self.text.len());
        self.operand();
    }

    fn raw_string(&mut self) {
        self.position =
            self.text[self.position..].find('`').map_or(self.text.len(), |length| self.position + length + 1);
        self.operand();
    }

    fn word(&mut self, start: usize) {
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        self.position = start + length;
        match &self.text[start..self.position] {
            "if" => {
                self.separate();
                self.previous = Previous::If;
            }
            "in" => self.operator(start),
            _ => self.operand(),
        }
    }

    fn operand(&mut self) {
        // Two operands in a row belong to two statements.
        if matches!(self.previous, Previous::Operand(_)) {
            self.reset_chain();
        }
        self.previous = Previous::Operand(self.position);
    }

    fn operator(&mut self, start: usize) {
        self.previous = Previous::Operator;
        let Some(level) = self.levels.last_mut() else { return };
        level.operators += 1;
        if level.operators == OPERATOR_CHAIN + 1 {
            self.refuse(
                start,
                format!("more than {OPERATOR_CHAIN} operators in a row"),
                "split the expression, or use a collection and an aggregate such as `sum` or `every`",
            );
        }
    }

    fn open(&mut self, start: usize, byte: u8) {
        // A bracket that touches an operand looks something up or calls; a brace behind `if` opens a body.
        let touches_operand = self.previous == Previous::Operand(start);
        let is_body = self.previous == Previous::If && byte == b'{';
        if touches_operand {
            self.operator(start);
        } else if matches!(self.previous, Previous::Operand(_)) {
            self.reset_chain();
        }
        let literal = byte != b'(' && !touches_operand && !is_body;
        self.levels.push(Level { literal, operators: 0 });
        self.previous = Previous::Start;
        let literals = self.levels.iter().filter(|level| level.literal).count();
        if literal && literals > LITERAL_NESTING {
            self.refuse(
                start,
                format!("literals nest more than {LITERAL_NESTING} deep"),
                "give the inner literals a rule or a variable of their own",
            );
        }
        // The lowest level is outside of all brackets.
        if self.levels.len() > BRACKET_NESTING + 1 {
            self.refuse(
                start,
                format!("brackets nest more than {BRACKET_NESTING} deep"),
                "give the inner expressions a variable of their own",
            );
        }
    }

    fn close(&mut self) {
        // A bracket too many is for the parser to report.
        if self.levels.len() > 1 {
            self.levels.pop();
        }
        self.previous = Previous::Operand(self.position);
    }

    fn separate(&mut self) {
        self.previous = Previous::Start;
        self.reset_chain();
    }

    fn reset_chain(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.operators = 0;
        }
    }

    fn refuse(&mut self, offset: usize, problem: String, help: &str) {
        self.scan.defects.push(Defect::new(Location::of_offset(self.file, self.text, offset), problem, help));
    }
}

#[cfg(test)]
mod tests {
    use super::{Comment, scan};

    fn problems(text: &str) -> Vec<String> {
        scan("f.rego", text).defects.iter().map(|defect| format!("{}: {}", defect.location, defect.problem)).collect()
    }

    #[test]
    fn eight_nested_literals_are_accepted_and_nine_refused() {
        let nested = |depth: usize| format!("package a\nx := {}1{}\n", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(problems(&nested(8)), [""; 0]);
        assert_eq!(problems(&nested(9)), ["f.rego:2:14: literals nest more than 8 deep"]);
        assert_eq!(problems(&nested(200_000)).len(), 1);
    }

    #[test]
    fn the_body_of_a_rule_is_no_literal() {
        let text = format!("package a\nx if {{\n\ty := {}1{}\n}}\n", "{".repeat(8), "}".repeat(8));
        assert_eq!(problems(&text), [""; 0]);
    }

    #[test]
    fn brackets_in_strings_raw_strings_and_comments_do_not_count() {
        let many = "[".repeat(40);
        assert_eq!(problems(&format!("package a # {many}\nx := \"\\\"{many}\"\ny := `{many}\n{many}`\n")), [""; 0]);
    }

    #[test]
    fn lookups_are_no_literals_but_have_a_bound_of_their_own() {
        assert_eq!(problems(&format!("package a\nx := {}1{}\n", "a[".repeat(12), "]".repeat(12))), [""; 0]);
        assert_eq!(
            problems(&format!("package a\nx := {}1{}\n", "(".repeat(33), ")".repeat(33))),
            ["f.rego:2:38: brackets nest more than 32 deep"]
        );
    }

    #[test]
    fn endless_chains_of_operators_are_refused() {
        assert_eq!(
            problems(&format!("package a\nx := 1{}\n", " + 1".repeat(40))),
            ["f.rego:2:164: more than 40 operators in a row"]
        );
        assert_eq!(problems(&format!("package a\nx := {}1\n", "- ".repeat(60))).len(), 1);
        assert_eq!(problems(&format!("package a\nx := a{}\n", ".b".repeat(60))).len(), 1);
    }

    #[test]
    fn statements_on_lines_of_their_own_are_no_chain() {
        let body: String = (0..100).map(|index| format!("\tx{index} := input.a[{index}].b + 1\n")).collect();
        assert_eq!(problems(&format!("package a\nx if {{\n{body}}}\n")), [""; 0]);
    }

    #[test]
    fn only_comments_alone_on_their_line_are_collected() {
        let scan = scan("f.rego", "# one\npackage a # two\n\t# three\r\nx := `\n# four\n`\n");
        assert_eq!(
            scan.comments,
            [Comment { line: 1, indentation: 0, text: " one" }, Comment { line: 3, indentation: 1, text: " three" },]
        );
    }

    #[test]
    fn unterminated_text_ends_the_scan() {
        for text in ["\"", "\"\\", "`", "[", "]", "#", "é", "\"é", "x := \"\\é"] {
            scan("f.rego", text);
        }
    }
}
