//! What a reader of the documentation would type.

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// The heading that it stands under.
    pub(crate) heading: String,
    /// `sh`, `rego` and so on.
    pub(crate) language: String,
    /// What stands between the fences.
    pub(crate) text: String,
    /// The paragraph before it.
    pub(crate) introduction: String,
}

/// The fenced blocks of a Markdown document, in order.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let (mut heading, mut introduction) = (String::new(), String::new());
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut heading);
        } else if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let text = text.iter().map(|line| format!("{line}\n")).collect();
            let introduction = std::mem::take(&mut introduction);
            blocks.push(Block { heading: heading.clone(), language: language.to_owned(), text, introduction });
        } else if !line.is_empty() {
            introduction.push_str(line);
            introduction.push('\n');
        } else if !introduction.ends_with(":\n") {
            introduction.clear();
        }
    }
    blocks
}
