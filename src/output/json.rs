//! The verdict as JSON: the object itself for one document, an array in the order of the arguments for several.

use crate::verdict::Verdict;

/// Pretty-printed, with a final newline.
///
/// # Errors
///
/// If a verdict holds something that JSON cannot carry.
pub fn render(verdicts: &[&Verdict]) -> Result<String, serde_json::Error> {
    let mut text = match verdicts {
        [verdict] => serde_json::to_string_pretty(verdict)?,
        several => serde_json::to_string_pretty(several)?,
    };
    text.push('\n');
    Ok(text)
}
