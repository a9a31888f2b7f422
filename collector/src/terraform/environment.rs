//! The environment that Terraform runs in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Options;

/// Variables that would change what a command does or says: extra arguments, a trace log full of secrets, another workspace
/// than the one that the pinned state key belongs to, providers of a debugger.
const REMOVED: &[&str] =
    &["TF_WORKSPACE", "TF_REATTACH_PROVIDERS", "TF_DATA_DIR", "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"];
const REMOVED_PREFIXES: &[&str] = &["TF_CLI_ARGS", "TF_LOG"];

/// The process's own environment as Terraform may see it. Credentials, `TF_VAR_*` and the CLI configuration stay.
pub(super) fn for_terraform(options: &Options, cache: &Path) -> BTreeMap<OsString, OsString> {
    adapt(std::env::vars_os().collect(), options, cache)
}

fn adapt(mut variables: BTreeMap<OsString, OsString>, options: &Options, cache: &Path) -> BTreeMap<OsString, OsString> {
    variables.retain(|name, _| {
        let name = name.to_string_lossy();
        !REMOVED.contains(&name.as_ref()) && !REMOVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    for (name, value) in [("TF_IN_AUTOMATION", "1"), ("TF_INPUT", "0"), ("CHECKPOINT_DISABLE", "1")] {
        variables.insert(name.into(), value.into());
    }
    if let Some(region) = &options.region {
        variables.insert("AWS_REGION".into(), region.into());
    }
    if let Some(endpoint) = &options.endpoint_url {
        variables.insert("AWS_ENDPOINT_URL".into(), endpoint.into());
    }
    // Providers are large: five stacks share one copy, unless the operator keeps a cache already.
    if !has_plugin_cache(&variables) {
        variables.insert("TF_PLUGIN_CACHE_DIR".into(), cache.into());
    }
    variables
}

fn has_plugin_cache(variables: &BTreeMap<OsString, OsString>) -> bool {
    if variables.contains_key(OsStr::new("TF_PLUGIN_CACHE_DIR")) {
        return true;
    }
    let named = variables.get(OsStr::new("TF_CLI_CONFIG_FILE")).map(PathBuf::from);
    let usual = variables.get(OsStr::new("HOME")).map(|home| Path::new(home).join(".terraformrc"));
    let configuration = named.or(usual).and_then(|path| std::fs::read_to_string(path).ok());
    configuration.is_some_and(|text| text.contains("plugin_cache_dir"))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::fact::TerraformMode;

    fn adapted(variables: &[(&str, &str)], options: &Options) -> BTreeMap<String, String> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        adapt(variables, options, Path::new("cache"))
            .into_iter()
            .map(|(name, value)| (name.into_string().expect("text"), value.into_string().expect("text")))
            .collect()
    }

    #[test]
    fn what_alters_commands_is_removed_and_what_they_need_is_kept() {
        let mut options = Options::new(".", TerraformMode::Plan, Instant::now());
        options.region = Some("eu-west-2".to_owned());
        let removed = [
            ("TF_CLI_ARGS", "x"),
            ("TF_CLI_ARGS_plan", "-destroy"),
            ("TF_LOG", "TRACE"),
            ("TF_LOG_PATH", "/x"),
            ("TF_WORKSPACE", "x"),
            ("TF_DATA_DIR", "/x"),
        ];
        let kept = [("TF_VAR_x", "1"), ("AWS_PROFILE", "p"), ("TF_CLI_CONFIG_FILE", "/nowhere"), ("TF_INPUT", "0")];
        let all: Vec<(&str, &str)> = removed.into_iter().chain(kept).collect();
        let mut expected: BTreeMap<String, String> =
            kept.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in [
            ("TF_IN_AUTOMATION", "1"),
            ("CHECKPOINT_DISABLE", "1"),
            ("AWS_REGION", "eu-west-2"),
            ("TF_PLUGIN_CACHE_DIR", "cache"),
        ] {
            expected.insert(name.to_owned(), value.to_owned());
        }
        assert_eq!(adapted(&all, &options), expected);
    }

    #[test]
    fn a_plugin_cache_of_the_operator_is_left_in_place() {
        let options = Options::new(".", TerraformMode::Plan, Instant::now());
        assert_eq!(adapted(&[("TF_PLUGIN_CACHE_DIR", "mine")], &options)["TF_PLUGIN_CACHE_DIR"], "mine");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.tfrc");
        std::fs::write(&file, "plugin_cache_dir = \"/mine\"\n").expect("a file");
        let named = [("TF_CLI_CONFIG_FILE", file.to_str().expect("text"))];
        assert!(!adapted(&named, &options).contains_key("TF_PLUGIN_CACHE_DIR"));
    }
}
