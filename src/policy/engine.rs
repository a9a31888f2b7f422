//! The policy engine. Only here and in `value` is regorus named.
//!
//! ```text
//! texts ──► parse ──► syntax trees ──► (laws) ──► Engine ──► query on a worker thread ──► JSON
//! ```
//!
//! What regorus does not bound, `worker` does: evaluation runs on a thread with a large stack, under the engine's own time
//! limit and, since that limit does not reach inside a builtin, under a watchdog that also minds the memory.

mod report;
mod value;
mod worker;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use serde_json::Value;

use report::{Report, evaluation_error};
pub(crate) use value::EngineValue;
use worker::on_worker;

use super::source::SourceFile;
use super::syntax::Policy;
use super::{Defect, Defects, Location, PolicyError};

/// The engine looks at the clock once in this many steps.
const STEPS_BETWEEN_CLOCK_READS: NonZeroU32 = NonZeroU32::MIN.saturating_add(127);

/// What to do about what the engine refuses to compile.
const VALID_REGO: &str = "the file must be valid Rego v1";

/// Policies and data, ready for queries.
#[derive(Clone)]
pub(crate) struct Engine {
    engine: regorus::Engine,
    /// What the engine's places refer to.
    files: Arc<[SourceFile]>,
    time_limit: Duration,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

/// What a query gave.
pub(crate) struct Answer {
    /// The value of each expression by its name; those that are undefined are left out.
    pub(crate) values: BTreeMap<String, Value>,
    /// What `print` printed.
    pub(crate) prints: Vec<String>,
    /// Lines by file, if coverage was asked for.
    pub(crate) coverage: Vec<Coverage>,
}

/// Which lines of a file an evaluation went through.
pub(crate) struct Coverage {
    pub(crate) file: String,
    pub(crate) covered: Vec<u32>,
    pub(crate) not_covered: Vec<u32>,
}

impl Engine {
    /// Parses policies. The texts must have passed the lexical scan.
    pub(crate) fn parse(files: &[SourceFile], time_limit: Duration) -> Result<(Self, Vec<Policy>), PolicyError> {
        let files = files.to_vec();
        on_worker("the policies", time_limit, move || {
            let engine = Self::empty(time_limit).with_policies(&files)?;
            let syntax = engine.engine.get_ast_as_json().map_err(|error| {
                PolicyError::internal(format!("the engine cannot publish its syntax tree: {error}"))
            })?;
            let policies = read_syntax(&syntax, &files)?;
            Ok((engine, policies))
        })
    }

    /// An engine without policies.
    pub(crate) fn empty(time_limit: Duration) -> Self {
        let mut engine = regorus::Engine::new();
        engine.set_strict_builtin_errors(true);
        engine.set_gather_prints(true);
        engine.set_execution_timer_config(ExecutionTimerConfig {
            limit: time_limit,
            check_interval: STEPS_BETWEEN_CLOCK_READS,
        });
        Self { engine, files: Arc::new([]), time_limit }
    }

    /// The engine with more policies. Their texts must have passed the lexical scan; the laws are not asked.
    pub(crate) fn with_policies(&self, more: &[SourceFile]) -> Result<Self, PolicyError> {
        let mut engine = self.engine.clone();
        let files: Arc<[SourceFile]> = self.files.iter().chain(more).cloned().collect();
        let mut defects = Vec::new();
        for file in more {
            if let Err(error) = engine.add_policy(file.name.clone(), file.text.clone()) {
                let report = Report::read(&error, &files);
                let location = report.location.unwrap_or_else(|| Location::new(&file.name, 1, 1));
                defects.push(Defect::new(location, report.message, VALID_REGO));
            }
        }
        Defects::check(defects)?;
        Ok(Self { engine, files, time_limit: self.time_limit })
    }

    /// Adds to `data`.
    pub(crate) fn add_data(&mut self, data: &EngineValue) -> Result<(), PolicyError> {
        self.engine
            .add_data(data.0.clone())
            .map_err(|error| PolicyError::internal(format!("the engine refuses data: {error}")))
    }

    /// Finishes what is common to all queries (scheduling, rule tables), and so finds what is wrong independently of input.
    pub(crate) fn prepare(self) -> Result<Self, PolicyError> {
        on_worker("the policies", self.time_limit, move || {
            let mut prepared = self;
            match prepared.engine.eval_query("true".to_owned(), false) {
                Ok(_) => Ok(prepared),
                Err(error) => {
                    let report = Report::read(&error, &prepared.files);
                    let location = report.location.unwrap_or_else(|| Location::new("policies", 1, 1));
                    Defects::check(vec![Defect::new(location, report.message, VALID_REGO)])?;
                    Err(PolicyError::internal("the engine refuses the policies"))
                }
            }
        })
    }

    /// Evaluates expressions (name → Rego term) together, so that they share what they both need. `what` names the query
    /// in errors.
    pub(crate) fn query(
        &self,
        what: &str,
        input: &EngineValue,
        terms: &BTreeMap<String, String>,
        with_coverage: bool,
    ) -> Result<Answer, PolicyError> {
        self.answer(what, input, terms, with_coverage, move |values, engine| {
            let json = values.into_iter().map(|(name, value)| Ok((name, EngineValue(value).json()?)));
            let values = json.collect::<Result<_, PolicyError>>()?;
            let prints = engine.take_prints().unwrap_or_default();
            let coverage = if with_coverage { read_coverage(engine)? } else { Vec::new() };
            Ok(Answer { values, prints, coverage })
        })
    }

    /// The values of expressions in the engine's own form; those that are undefined are left out.
    pub(crate) fn values(
        &self,
        what: &str,
        input: &EngineValue,
        terms: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, EngineValue>, PolicyError> {
        self.answer(what, input, terms, false, |values, _| {
            Ok(values.into_iter().map(|(name, value)| (name, EngineValue(value))).collect())
        })
    }

    /// The value of one expression, if it is defined.
    pub(crate) fn value(&self, term: &str, input: &EngineValue) -> Result<Option<EngineValue>, PolicyError> {
        let terms = BTreeMap::from([(term.to_owned(), term.to_owned())]);
        Ok(self.values(term, input, &terms)?.remove(term))
    }

    /// The values of expressions, with the lines that were gone through.
    pub(crate) fn traced_values(
        &self,
        what: &str,
        input: &EngineValue,
        terms: &BTreeMap<String, String>,
    ) -> Result<(BTreeMap<String, EngineValue>, Vec<Coverage>), PolicyError> {
        self.answer(what, input, terms, true, |values, engine| {
            let values = values.into_iter().map(|(name, value)| (name, EngineValue(value)));
            Ok((values.collect(), read_coverage(engine)?))
        })
    }

    fn answer<T: Send + 'static>(
        &self,
        what: &str,
        input: &EngineValue,
        terms: &BTreeMap<String, String>,
        with_coverage: bool,
        finish: impl FnOnce(BTreeMap<String, regorus::Value>, &mut regorus::Engine) -> Result<T, PolicyError>
        + Send
        + 'static,
    ) -> Result<T, PolicyError> {
        let mut engine = self.engine.clone();
        engine.set_input(input.0.clone());
        engine.set_enable_coverage(with_coverage);
        // An undefined term would leave the whole object undefined; a comprehension leaves out just the term.
        let statements = terms.values().enumerate().map(|(index, term)| format!("t{index} := [v | v := {term}]"));
        let query = statements.collect::<Vec<_>>().join("\n");
        // The engine refuses a query that says nothing.
        let query = if query.is_empty() { "true".to_owned() } else { query };
        let names: Vec<String> = terms.keys().cloned().collect();
        let time_limit = self.time_limit;
        let files = Arc::clone(&self.files);
        let owned_what = what.to_owned();
        on_worker(what, time_limit, move || {
            let results = engine
                .eval_query(query, false)
                .map_err(|error| evaluation_error(&error, &files, &owned_what, time_limit))?;
            let bindings = results.result.first().map(|result| result.bindings.clone());
            let mut values = BTreeMap::new();
            for (index, name) in names.into_iter().enumerate() {
                let bound = bindings
                    .as_ref()
                    .and_then(|bindings| {
                        bindings.as_object().ok()?.get(&regorus::Value::from(format!("t{index}"))).cloned()
                    })
                    .ok_or_else(|| PolicyError::internal(format!("the engine gave no binding for {name}")))?;
                if let Some(value) = bound.as_array().ok().and_then(|values| values.first()) {
                    values.insert(name, value.clone());
                }
            }
            finish(values, &mut engine)
        })
    }
}

fn read_coverage(engine: &regorus::Engine) -> Result<Vec<Coverage>, PolicyError> {
    let report = engine
        .get_coverage_report()
        .map_err(|error| PolicyError::internal(format!("the engine cannot report coverage: {error}")))?;
    let files = report.files.into_iter().map(|file| Coverage {
        file: file.path,
        covered: file.covered.into_iter().collect(),
        not_covered: file.not_covered.into_iter().collect(),
    });
    Ok(files.collect())
}

/// A tree that is too deep for the JSON reader is too deep for the interpreter's recursion, too.
fn read_syntax(syntax: &str, files: &[SourceFile]) -> Result<Vec<Policy>, PolicyError> {
    match serde_json::from_str(syntax) {
        Ok(policies) => Ok(policies),
        Err(error) if error.to_string().starts_with("recursion limit exceeded") => {
            let deep = files.iter().filter(|file| is_too_deep(file));
            let defects: Vec<_> = deep
                .map(|file| {
                    Defect::new(
                        Location::new(&file.name, 1, 1),
                        "an expression of this file nests too deeply",
                        "give the inner expressions a rule or a variable of their own",
                    )
                })
                .collect();
            Defects::check(defects)?;
            Err(PolicyError::internal("the syntax tree nests too deeply"))
        }
        Err(error) => Err(PolicyError::internal(format!("the engine's syntax tree has an unknown shape: {error}"))),
    }
}

fn is_too_deep(file: &SourceFile) -> bool {
    let mut engine = regorus::Engine::new();
    engine.add_policy(file.name.clone(), file.text.clone()).is_ok()
        && engine.get_ast_as_json().is_ok_and(|syntax| serde_json::from_str::<Vec<Policy>>(&syntax).is_err())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use regorus::unstable::BUILTINS;

    use super::value::to_json;
    use super::{Engine, EngineValue, Report, on_worker};
    use crate::policy::laws::ALLOWED;
    use crate::policy::{Location, PolicyError, SourceFile};

    fn parse(text: &str) -> Result<Engine, PolicyError> {
        let files = [SourceFile { name: "lib/a.rego".into(), text: text.into() }];
        Engine::parse(&files, Duration::from_secs(5)).map(|(engine, _)| engine)
    }

    #[test]
    fn every_allowed_builtin_is_there_and_takes_what_we_say() {
        for (name, arity) in ALLOWED.iter().filter(|(name, _)| *name != "print") {
            let (_, offered) = BUILTINS.get(name).unwrap_or_else(|| panic!("{name}"));
            // The engine counts the collection only; the pattern is the second argument.
            let offered = if *name == "walk" { 2 } else { usize::from(*offered) };
            assert_eq!(*arity, offered, "{name}");
        }
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        for (text, expected) in [
            ("package lib.a\n\nx := [1\n", "lib/a.rego:4:1: "),
            ("package lib.a\n\n\tx = = 1\n", "lib/a.rego:3:6: "),
            ("package lib.a\n\nx := \"\\q\"\n", "lib/a.rego:3:7: "),
            ("x := 1\n", "lib/a.rego:1:1: "),
            ("", "lib/a.rego:1:1: "),
            ("package lib.a\n\nallow { true }\n", "lib/a.rego:3:7: "),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
            assert!(error.ends_with("\nhelp: the file must be valid Rego v1"), "{error}");
        }
    }

    #[test]
    fn what_only_the_compiler_sees_has_its_place_too() {
        let engine = parse("package lib.a\n\nx if {\n\ty == 1\n\ty := 2\n\ty := 3\n}\n").unwrap();
        let error = engine.prepare().unwrap_err().to_string();
        assert!(error.starts_with("lib/a.rego:"), "{error}");
    }

    #[test]
    fn trees_that_nest_too_deeply_are_refused() {
        // Every level is within the limits of the scan, but all of them together are not.
        let text = format!("package lib.a\n\nx := {}1{}\n", "1 + (".repeat(31), ")".repeat(31));
        assert!(parse(&text).is_ok());
        let chain = format!("{}1", "1 + ".repeat(30));
        let text = format!("package lib.a\n\nx := ({chain}) + (({chain}) * f([{chain}, {{{chain}: ({chain})}}]))\n");
        assert!(parse(&text).is_ok());
        let mut nested = String::from("1");
        for _ in 0..4 {
            nested = format!("{nested}{}", " + 1".repeat(20)).replacen('1', "(1)", 1);
            nested = format!("[{nested}][0]");
        }
        let error = parse(&format!("package lib.a\n\nx := {nested}\n")).unwrap_err().to_string();
        assert!(error.starts_with("lib/a.rego:1:1: an expression of this file nests too deeply"), "{error}");
    }

    #[test]
    fn work_that_never_ends_is_left_to_itself() {
        let start = Instant::now();
        let endless = || {
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        };
        let error = on_worker("the test", Duration::from_millis(1), endless).unwrap_err();
        assert!(matches!(error, PolicyError::TimeLimit { .. }), "{error}");
        assert!(start.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_panic_of_the_engine_is_an_error() {
        let error = on_worker("the test", Duration::from_secs(1), || -> Result<(), PolicyError> { panic!("boom") });
        assert!(matches!(error, Err(PolicyError::Internal { .. })));
    }

    #[test]
    fn a_worker_serves_its_thread_and_one_that_is_lost_is_replaced() {
        let (second, id) = (Duration::from_secs(1), || Ok(std::thread::current().id()));
        let first = on_worker("the test", second, id).unwrap();
        assert_eq!(on_worker("the test", second, id).unwrap(), first);
        assert!(on_worker("the test", second, || -> Result<(), PolicyError> { panic!("boom") }).is_err());
        let after_panic = on_worker("the test", second, id).unwrap();
        let endless = || {
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        };
        assert!(on_worker("the test", Duration::ZERO, endless).is_err());
        let after_time_out = on_worker("the test", second, id).unwrap();
        assert!(first != after_panic && after_panic != after_time_out);
    }

    #[test]
    fn undefined_terms_are_left_out_of_the_answer() {
        let engine = parse("package lib.a\n\nx := 1\n\ny := input.nothing\n").unwrap().prepare().unwrap();
        let terms = [("x", "data.lib.a.x"), ("y", "data.lib.a.y")];
        let terms = terms.map(|(name, term)| (name.to_owned(), term.to_owned())).into();
        let input = EngineValue::new(&serde_json::json!({})).unwrap();
        let answer = engine.query("the test", &input, &terms, false).unwrap();
        assert_eq!(answer.values, [("x".to_owned(), serde_json::json!(1))].into());
    }

    #[test]
    fn sets_become_sorted_arrays_and_strange_keys_are_refused() {
        let value = |text: &str| {
            regorus::Engine::new().eval_query(text.into(), false).unwrap().result[0].expressions[0].value.clone()
        };
        assert_eq!(to_json(&value("{3, 1, 2}")), Ok(serde_json::json!([1, 2, 3])));
        assert_eq!(to_json(&value("{\"a\": {1.5, null}}")), Ok(serde_json::json!({"a": [null, 1.5]})));
        assert!(to_json(&value("{1: 2}")).is_err());
        assert!(to_json(&regorus::Value::Undefined).is_err());
    }

    #[test]
    fn reports_without_a_place_are_kept_whole() {
        let report = Report::read(&"something\n  odd", &[]);
        assert_eq!((report.location, report.message.as_str()), (None, "something odd"));
        let files = [SourceFile { name: "a.rego".into(), text: "package a\n".into() }];
        let report = Report::read(&"\n--> a.rego:1:3\n  |\n1 | package a\n  |   ^\nerror: it is wrong", &files);
        assert_eq!(report.location, Some(Location::new("a.rego", 1, 3)));
        assert_eq!(report.message, "it is wrong");
    }
}
