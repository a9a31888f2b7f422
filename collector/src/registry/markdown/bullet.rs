//! Bullets, and what operators write in their place.

use super::starts_with_equals_sign;
use crate::registry::pin::is_name;

/// A line that starts with the mark of a list.
pub(super) struct Bullet<'a> {
    /// What stands behind the mark.
    pub(super) content: &'a str,
    /// The byte of the line at which the content starts.
    pub(super) offset: usize,
    /// Why a pin in it does not count, if so.
    pub(super) defect: Option<&'static str>,
}

/// The bullet that a line is. Numbered items, and marks without a space, are bullets with a defect.
pub(super) fn bullet(line: &str) -> Option<Bullet<'_>> {
    let mut defect = None;
    let mut content = line.trim_start();
    let mut is_bullet = false;
    loop {
        let rest = match content.strip_prefix(['*', '-', '+']) {
            Some(rest) => rest,
            None => match numbered(content) {
                Some(rest) => {
                    defect = defect.or(Some("it stands in a numbered item"));
                    rest
                }
                None => break,
            },
        };
        if rest.starts_with([' ', '\t']) {
            (content, is_bullet) = (rest.trim_start(), true);
        } else if rest.starts_with('`') && !is_bullet {
            defect = defect.or(Some("there is no space behind the bullet's mark"));
            (content, is_bullet) = (rest, true);
        } else {
            break;
        }
    }
    is_bullet.then(|| Bullet { content, offset: line.len() - content.len(), defect })
}

/// What follows `1.` or `1)`.
fn numbered(content: &str) -> Option<&str> {
    let digits = content.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 { None } else { content[digits..].strip_prefix(['.', ')']) }
}

/// The name that a bullet seems to pin although it does not start with a code span, and why it does not count.
pub(super) fn looks_pinned(content: &str) -> Option<(&str, &'static str)> {
    let bare = content.trim_start_matches(|c: char| !c.is_alphanumeric());
    let checked = content.strip_prefix("[x]").or_else(|| content.strip_prefix("[X]"));
    let (bare, decoration) = match checked {
        Some(rest) => {
            let bare = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
            (bare, &content[..content.len() - bare.len()])
        }
        None => (bare, &content[..content.len() - bare.len()]),
    };
    let name = &bare[..bare.bytes().take_while(|&byte| byte.is_ascii_alphanumeric() || byte == b'_').count()];
    let rest = bare[name.len()..].trim_start_matches(['*', '_', '`', '~']);
    // Without an underscore it may as well be a formula in a sentence.
    if !is_name(name) || !name.contains('_') || !starts_with_equals_sign(rest) {
        return None;
    }
    let why = match decoration.trim() {
        "`" | "``" => "its backtick is never closed on this line",
        "" => "it has no backticks",
        _ if decoration.contains('`') => "something stands in front of it",
        _ => "it has no backticks",
    };
    Some((name, why))
}
