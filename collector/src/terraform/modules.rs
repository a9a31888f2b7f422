//! The local modules that a stack is made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hcl_edit::expr::Expression;
use serde_json::Value;

use super::backend::is_configuration;

/// Every folder below `root`, the stack's own included, that holds configuration of the stack at `stack`; relative to `root`,
/// which has no links in it. What cannot be read or parsed is left to Terraform to complain about.
pub(super) fn folders(root: &Path, stack: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::from([stack.to_owned()]);
    let mut open = vec![stack.to_owned()];
    while let Some(folder) = open.pop() {
        for source in sources(&root.join(&folder)) {
            let module = root.join(&folder).join(source).canonicalize();
            let Ok(module) = module else { continue };
            if let Ok(relative) = module.strip_prefix(root)
                && module.is_dir()
                && found.insert(relative.to_owned())
            {
                open.push(relative.to_owned());
            }
        }
    }
    found
}

/// The sources of the modules that a folder calls, as far as they are local.
fn sources(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_configuration(name)) else { continue };
        let Ok(text) = fs::read_to_string(entry.path()) else { continue };
        if name.ends_with(".json") { json_sources(&text, &mut sources) } else { hcl_sources(&text, &mut sources) }
    }
    sources.retain(|source| source.starts_with("./") || source.starts_with("../"));
    sources
}

fn hcl_sources(text: &str, sources: &mut Vec<String>) {
    let Ok(body) = hcl_edit::parser::parse_body(text) else { return };
    for module in body.get_blocks("module") {
        if let Some(source) = module.body.get_attribute("source")
            && let Expression::String(source) = &source.value
        {
            sources.push(source.value().clone());
        }
    }
}

fn json_sources(text: &str, sources: &mut Vec<String>) {
    fn collect(value: &Value, sources: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, sources)),
            Value::Object(fields) => {
                sources.extend(fields.get("source").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| collect(field, sources));
            }
            _ => {}
        }
    }
    let Ok(file) = serde_json::from_str::<Value>(text) else { return };
    collect(&file["module"], sources);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_followed_to_the_end_and_only_where_they_are_local() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path().canonicalize().expect("a path");
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        };
        write(
            "dev/core/main.tf",
            "module \"a\" {\n  source = \"../../modules/a\"\n}\nmodule \"r\" {\n  source = \"hashicorp/r/aws\"\n}\n",
        );
        write("dev/core/more.tf.json", r#"{"module": {"b": {"source": "./b"}, "gone": {"source": "../gone"}}}"#);
        write("dev/core/broken.tf", "module {");
        write("dev/core/b/main.tf", "");
        write("modules/a/main.tf", "module \"c\" {\n  source = \"../c\"\n}\n");
        write(
            "modules/c/main.tf",
            "module \"a\" {\n  source = \"../a\"\n}\nmodule \"out\" {\n  source = \"../../..\"\n}\n",
        );
        write("modules/unused/main.tf", "");
        let found = folders(&root, Path::new("dev/core"));
        let found: Vec<&str> = found.iter().filter_map(|folder| folder.to_str()).collect();
        assert_eq!(found, ["dev/core", "dev/core/b", "modules/a", "modules/c"]);
    }
}
