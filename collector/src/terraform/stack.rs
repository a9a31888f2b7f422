//! One stack, from its folder to its state.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::answer::{diagnostic, effective_backend, malformed, observe, parse, unreadable};
use super::draft::Draft;
use super::folder::{self, pinned};
use super::session::{Answer, Output, Request, Session};
use super::workspace::Workspace;
use super::{chain, key_handle, outputs_source, plan, secrets, state};
use crate::fact::{
    Apply, Backend, Command, Digest, Directory, Observation, Outputs, Plan, ReadError, ReadErrorKind, State,
    TerraformMode, Validation,
};

/// Where `plan -out` writes, below the working copy's scratch folder.
const PLAN_FILE: &str = "plan.tfplan";

/// The step of a rehearsal whose plans destroy.
pub(super) const DESTROY: &str = "destroy";

/// Collects one stack. `unsettled` names a stack before it that keeps it from being applied.
pub(super) async fn collect(session: &Session<'_>, name: &'static str, unsettled: Option<&str>) -> Draft {
    match prepare(session, name) {
        Ok((run, arguments)) => run.commands(arguments, unsettled).await,
        Err(draft) => *draft,
    }
}

/// A stack that is ready for `init`, and the arguments of that; or what there is to say of one that is not.
pub(super) fn prepare<'a>(session: &'a Session<'a>, name: &'static str) -> Result<(Run<'a>, Vec<String>), Box<Draft>> {
    let mut draft = Draft::new(name);
    let root = match &session.root {
        Ok(root) => root,
        Err(error) => {
            let message = format!("the Terraform root cannot be read: {}", chain(error));
            draft.stack.directory = unreadable("TerraformRootUnreadable", ReadErrorKind::Tool, message, Vec::new());
            draft.stack.backend = Observation::not_collected("the Terraform root cannot be read");
            draft.stack.init = Observation::not_collected("the Terraform root cannot be read");
            draft.skip_commands("terraform init was not run");
            return Err(Box::new(draft));
        }
    };
    draft.stack.directory = draft.file(folder::directory(root, name, session.handles));
    let Some(directory) = draft.stack.directory.value().cloned() else {
        draft.stack.backend = Observation::not_collected("the stack's folder could not be listed");
        draft.stack.init = Observation::not_collected("the stack's folder could not be listed");
        draft.skip_commands("terraform init was not run");
        return Err(Box::new(draft));
    };
    draft.stack.backend = draft.file(folder::declared(root, name, &directory));
    let arguments = match init_arguments(session, name, &draft.stack.backend) {
        Ok(arguments) => arguments,
        Err(reason) => {
            draft.stack.init = Observation::not_collected(reason);
            draft.skip_commands("terraform init was not run");
            return Err(Box::new(draft));
        }
    };
    match Workspace::create(root, Path::new(&directory.path)) {
        Ok(workspace) => {
            let mut arguments = arguments;
            if workspace.has_lock_file() {
                arguments.push("-lockfile=readonly".to_owned());
            }
            Ok((Run { session, workspace, directory, draft, step: None }, arguments))
        }
        Err(error) => {
            draft.stack.init = unreadable("WorkingCopyFailed", ReadErrorKind::Tool, chain(&error), Vec::new());
            draft.skip_commands("terraform init could not be run");
            Err(Box::new(draft))
        }
    }
}

/// The arguments of `init`, or why it is not run.
fn init_arguments(session: &Session<'_>, name: &str, backend: &Observation<Backend>) -> Result<Vec<String>, String> {
    if session.options.mode == TerraformMode::Off {
        return Err("terraform is off in this run".to_owned());
    }
    match backend {
        // The settings of one kind of backend mean something else to another, and no other kind is the contract's.
        Observation::Present { value, .. } if value.kind != "s3" => {
            return Err(format!("the stack's backend is `{}`, not `s3`", value.kind));
        }
        Observation::Absent { .. } => return Err("the stack declares no backend".to_owned()),
        // Terraform says best what is wrong with a block that could not be read here.
        _ => {}
    }
    let mut arguments: Vec<String> = ["init", "-input=false", "-no-color", "-reconfigure"].map(str::to_owned).into();
    let key = key_handle(name);
    for (setting, handle) in [
        ("bucket", "TF_STATE_BUCKET"),
        ("key", key.as_str()),
        ("region", "TF_STATE_BUCKET_REGION"),
        ("dynamodb_table", "TF_LOCK_TABLE"),
    ] {
        arguments.push(format!("-backend-config={setting}={}", pinned(session.handles, handle)?));
    }
    Ok(arguments)
}

/// A stack whose commands are being run.
pub(super) struct Run<'a> {
    session: &'a Session<'a>,
    workspace: Workspace,
    directory: Directory,
    pub(super) draft: Draft,
    /// The step of a rehearsal, for the names of its receipts.
    pub(super) step: Option<&'static str>,
}

impl Run<'_> {
    async fn commands(mut self, init: Vec<String>, unsettled: Option<&str>) -> Draft {
        let is_initialised = self.init(init).await;
        let name = self.draft.name;
        if !is_initialised {
            self.draft.skip_commands("terraform init did not succeed");
        } else if !self.session.options.materialize.contains(name) {
            self.draft.skip_commands(&format!("stack {name} is only initialised in this run"));
        } else {
            self.validate().await;
            if self.draft.stack.validate.value().is_some_and(|validation| validation.valid) {
                self.plan_and_apply(unsettled).await;
            } else {
                let reason = "terraform validate did not succeed";
                self.draft.stack.plan = Observation::not_collected(reason);
                self.draft.skip_apply(reason);
            }
            self.outputs().await;
            self.state().await;
        }
        self.draft
    }

    async fn run(
        &mut self,
        command: &'static str,
        output: Output,
        arguments: Vec<String>,
    ) -> (String, Result<Answer, ReadError>) {
        let directory = &self.directory.path;
        let request = Request { stack: self.draft.name, directory, command, arguments, output };
        let (call, result) = self.session.run(&self.workspace, request).await;
        let key = self.receipt_key(command);
        self.draft.calls.insert(key.clone(), call);
        (key, result)
    }

    /// How the receipt of a command is called: `terraform.plan/core`; of the step `destroy` of a rehearsal,
    /// `terraform.destroy_plan/core`, and its apply `terraform.destroy/core`.
    pub(super) fn receipt_key(&self, command: &str) -> String {
        let name = self.draft.name;
        match self.step {
            None => format!("terraform.{command}/{name}"),
            Some(step) if command == "apply" => format!("terraform.{step}/{name}"),
            Some(step) => format!("terraform.{step}_{command}/{name}"),
        }
    }

    /// A command that answers with a JSON document on its standard output.
    async fn document(
        &mut self,
        command: &'static str,
        arguments: &[&str],
    ) -> (String, Result<(i32, Value), ReadError>) {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (key, result) = self.run(command, Output::Document, arguments).await;
        let document = result.and_then(|answer| match parse(&answer) {
            Ok(document) => Ok((answer.exit_code, document)),
            Err(_) if answer.exit_code != 0 => Ok((answer.exit_code, Value::Null)),
            Err(message) => Err(malformed(format!("terraform {command}: {message}"))),
        });
        (key, document)
    }

    pub(super) async fn init(&mut self, arguments: Vec<String>) -> bool {
        let (key, result) = {
            let _alone = self.session.init.lock().await;
            self.run("init", Output::Log, arguments).await
        };
        let is_initialised = result.as_ref().is_ok_and(|answer| answer.exit_code == 0);
        self.draft.stack.init =
            observe(result, [key], |answer| Command { exit_code: answer.exit_code, log: String::new() });
        if is_initialised && let Observation::Present { value, .. } = &mut self.draft.stack.backend {
            value.effective = effective_backend(&self.workspace.data());
        }
        is_initialised
    }

    async fn validate(&mut self) {
        let arguments = ["validate", "-json", "-no-color"].map(str::to_owned).into();
        let (key, result) = self.run("validate", Output::Log, arguments).await;
        let result = result.and_then(|answer| {
            let report = parse(&answer).map_err(|message| malformed(format!("terraform validate: {message}")))?;
            let valid =
                report["valid"].as_bool().ok_or_else(|| malformed("terraform validate gave no verdict".into()))?;
            let diagnostics = report["diagnostics"].as_array().map(Vec::as_slice).unwrap_or_default();
            let diagnostics = diagnostics.iter().map(diagnostic).collect();
            // A verdict that contradicts the exit code is none.
            Ok(Validation {
                exit_code: answer.exit_code,
                valid: valid && answer.exit_code == 0,
                diagnostics,
                log: String::new(),
            })
        });
        self.draft.stack.validate = observe(result, [key], |validation| validation);
    }

    async fn plan_and_apply(&mut self, unsettled: Option<&str>) {
        self.draft.stack.plan = self.plan("plan", "show").await;
        let Some(plan) = self.draft.stack.plan.value() else {
            return self.draft.skip_apply("there is no plan to apply");
        };
        let planned = plan.digest.clone();
        let destroyed: Vec<&str> = plan
            .resource_changes
            .iter()
            .filter(|change| change.actions.iter().any(|action| action == "delete"))
            .map(|change| change.address.as_str())
            .collect();
        let destroyed = destroyed.join(", ");
        match (plan.exit_code, planned, unsettled) {
            _ if self.session.options.mode != TerraformMode::Apply => {
                self.draft.skip_apply("terraform may only plan in this run");
            }
            (0, _, _) => self.draft.skip_apply("the plan has no changes"),
            (2, Some(_), Some(other)) => {
                self.draft.skip_apply(&format!("stack {other}, which comes before, is not settled"))
            }
            // To destroy takes an approval that names the stack; only a rehearsal has one.
            (2, Some(_), None) if !destroyed.is_empty() => self.draft.skip_apply(&format!(
                "the plan destroys {destroyed}, and a gate destroys nothing; review the plan and apply it by hand"
            )),
            (2, Some(planned), None) => self.apply(planned).await,
            _ => self.draft.skip_apply("terraform plan did not succeed"),
        }
    }

    pub(super) async fn plan(&mut self, command: &'static str, show: &'static str) -> Observation<Plan> {
        let file = self.workspace.scratch_file(PLAN_FILE);
        // A plan that writes nothing must not be taken for the one before it.
        drop(fs::remove_file(&file));
        let mut arguments: Vec<String> =
            ["plan", "-input=false", "-no-color", "-detailed-exitcode"].map(str::to_owned).into();
        if self.step == Some(DESTROY) {
            arguments.push("-destroy".to_owned());
        }
        arguments.push(self.lock_timeout());
        arguments.push(format!("-out={}", file.display()));
        let (key, result) = self.run(command, Output::Plan, arguments).await;
        let exit_code = match result {
            Ok(answer) => answer.exit_code,
            Err(error) => return Observation::Unreadable { error, receipts: vec![key] },
        };
        let mut plan = Plan {
            exit_code,
            digest: None,
            summary: BTreeMap::new(),
            resource_changes: Vec::new(),
            drifted: Vec::new(),
            output_changes: BTreeMap::new(),
            log: String::new(),
        };
        if !matches!(exit_code, 0 | 2) {
            return Observation::present(plan, vec![key]);
        }
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("terraform {command} wrote no plan: {error}");
                return unreadable("PlanFileMissing", ReadErrorKind::Malformed, message, vec![key]);
            }
        };
        plan.digest = Some(Digest::of(&bytes).to_string());
        let path = file.to_string_lossy().into_owned();
        let (show_key, shown) = self.document(show, &["show", "-json", "-no-color", &path]).await;
        let changes = shown.and_then(|(exit_code, document)| {
            if exit_code != 0 {
                return Err(malformed(format!("terraform show ended with exit code {exit_code}")));
            }
            secrets::learn_plan(self.session.redactor, &document);
            plan::reduce(&document).map_err(|error| malformed(chain(&error)))
        });
        let receipts = vec![key.clone(), show_key.clone()];
        match changes {
            Ok(changes) => {
                plan.summary = changes.summary;
                plan.resource_changes = changes.resource_changes;
                plan.drifted = changes.drifted;
                plan.output_changes = changes.output_changes;
                self.keep_document(&show_key, &plan);
                Observation::present(plan, receipts)
            }
            Err(error) => {
                // The plan's log shows values, and what in them is secret is not known.
                if let Some(call) = self.draft.calls.get_mut(&key) {
                    call.log = "(withheld: the plan could not be read, so its secrets are not known)\n".to_owned();
                }
                Observation::Unreadable { error, receipts }
            }
        }
    }

    async fn apply(&mut self, planned: String) {
        self.draft.stack.apply = self.apply_planned(planned).await;
        self.draft.stack.post_apply_plan = match &self.draft.stack.apply {
            Observation::Present { value, .. } if value.exit_code == 0 => {
                self.plan("post_apply_plan", "post_apply_show").await
            }
            Observation::Unreadable { error, .. } if error.code == "PlanFileChanged" => {
                Observation::not_collected("the plan was not applied")
            }
            _ => Observation::not_collected("terraform apply did not succeed"),
        };
    }

    /// Applies the plan that was made last.
    pub(super) async fn apply_planned(&mut self, planned: String) -> Observation<Apply> {
        let file = self.workspace.scratch_file(PLAN_FILE);
        // What is applied is what was judged, not what may have taken its place since.
        if !fs::read(&file).is_ok_and(|bytes| Digest::of(&bytes).as_str() == planned) {
            let message = "the plan file is not the one that was planned".to_owned();
            return unreadable("PlanFileChanged", ReadErrorKind::Tool, message, Vec::new());
        }
        let mut arguments: Vec<String> = ["apply", "-input=false", "-no-color"].map(str::to_owned).into();
        arguments.push(self.lock_timeout());
        arguments.push(file.to_string_lossy().into_owned());
        let (key, result) = self.run("apply", Output::Log, arguments).await;
        observe(result, [key], |answer| Apply { exit_code: answer.exit_code, plan_digest: planned, log: String::new() })
    }

    pub(super) async fn outputs(&mut self) {
        let (key, result) = self.document("output", &["output", "-json", "-no-color"]).await;
        let source = outputs_source(self.draft.name);
        let result = result.and_then(|(exit_code, document)| {
            state::watch_outputs(&document, self.session.redactor, &source);
            let values = match exit_code {
                0 => state::outputs(&document, self.session.redactor).map_err(|error| malformed(chain(&error)))?,
                _ => BTreeMap::new(),
            };
            Ok(Outputs { exit_code, values, log: String::new() })
        });
        if let Ok(outputs) = &result {
            self.keep_document(&key, &outputs.values);
        }
        self.draft.stack.outputs = observe(result, [key], |outputs| outputs);
    }

    pub(super) async fn state(&mut self) {
        let arguments = ["state", "pull"].map(str::to_owned).into();
        let (key, result) = self.run("state", Output::Document, arguments).await;
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                self.draft.stack.state = Observation::Unreadable { error, receipts: vec![key] };
                return;
            }
        };
        let empty = State {
            exit_code: answer.exit_code,
            serial: 0,
            lineage: String::new(),
            terraform_version: String::new(),
            managed_resources: Vec::new(),
            resource_arns: Vec::new(),
            outputs: Vec::new(),
            log: String::new(),
        };
        let result = match answer.exit_code {
            0 => match self.pulled(&answer) {
                Ok(Some(inventory)) => Ok(State {
                    serial: inventory.serial,
                    lineage: inventory.lineage,
                    terraform_version: inventory.terraform_version,
                    managed_resources: inventory.managed_resources,
                    resource_arns: inventory.resource_arns,
                    outputs: inventory.outputs,
                    ..empty
                }),
                Ok(None) => {
                    let message = "the backend holds no state for this stack".to_owned();
                    let kind = ReadErrorKind::NotFound;
                    let error = ReadError { code: "NoState".to_owned(), kind, message, action: None };
                    self.draft.stack.state = Observation::Absent { error, receipts: vec![key] };
                    return;
                }
                Err(error) => Err(error),
            },
            _ => Ok(empty),
        };
        if let Ok(state) = &result {
            self.keep_document(&key, state);
        }
        self.draft.stack.state = observe(result, [key], |state| state);
    }

    /// The state, if there is one. Where there is none, Terraform says nothing or makes one up that has no lineage.
    fn pulled(&self, answer: &Answer) -> Result<Option<state::Inventory>, ReadError> {
        if answer.stdout.trim().is_empty() {
            return Ok(None);
        }
        let document = parse(answer).map_err(|message| malformed(format!("terraform state pull: {message}")))?;
        secrets::learn_state(self.session.redactor, &document);
        let inventory = state::reduce(&document).map_err(|error| malformed(chain(&error)))?;
        Ok((!inventory.lineage.is_empty()).then_some(inventory))
    }

    /// Keeps, for the raw log, what the facts keep of a document.
    fn keep_document(&mut self, key: &str, document: &impl serde::Serialize) {
        if let Some(call) = self.draft.calls.get_mut(key) {
            call.document = serde_json::to_string_pretty(document).ok();
        }
    }

    fn lock_timeout(&self) -> String {
        format!("-lock-timeout={}s", self.session.options.lock_timeout.as_secs())
    }
}
